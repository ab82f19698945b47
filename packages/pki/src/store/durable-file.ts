/**
 * Files that are complete or absent, however the process or the machine ends.
 * Rule: the content goes to a temporary file beside the target and is synced; then the file takes its name in one step,
 * and the folder is synced. A file that must not replace another takes its name by a hard link, which fails if the name
 * is taken.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fchmodSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { AditError, messageOf } from '@adit/shared/errors';

export interface FileContent {
  readonly path: string;
  readonly content: string | Uint8Array;
  /** 0o600 for anything secret. */
  readonly mode: number;
}

/** A file that has its content but not its name yet. */
export interface StagedFile {
  /** Takes the name from whatever has it. Fails with FILE_UNREADABLE. */
  replace(): void;
  /** Takes the name if nothing has it. Fails with FILE_EXISTS and FILE_UNREADABLE. */
  create(): void;
  /** Removes it; has no effect once it has its name. */
  discard(): void;
}

/** Writes the content beside its target. Fails with FILE_UNREADABLE. */
export function stage({ path, content, mode }: FileContent): StagedFile {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  attempt(path, () => {
    writeSynced(temporary, content, mode);
  });
  const finish = (): void => {
    rmSync(temporary, { force: true });
  };
  return {
    replace: () => {
      attempt(path, () => {
        renameSync(temporary, path);
        syncFolder(dirname(path));
      });
    },
    create: () => {
      attempt(path, () => {
        linkSync(temporary, path);
        finish();
        syncFolder(dirname(path));
      });
    },
    discard: finish,
  };
}

/** Writes a file in place of what is there. Fails with FILE_UNREADABLE. */
export function replaceFile(file: FileContent): void {
  const staged = stage(file);
  try {
    staged.replace();
  } finally {
    staged.discard();
  }
}

/** Writes a file where there is none. Fails with FILE_EXISTS and FILE_UNREADABLE. */
export function createFile(file: FileContent): void {
  const staged = stage(file);
  try {
    staged.create();
  } finally {
    staged.discard();
  }
}

/**
 * Fails with FILE_EXISTS if the name belongs to anything but `what`: a device, a folder, a file that `test` rejects.
 */
export function checkReplaceable(path: string, what: string, test: (content: Buffer) => boolean): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  const content = found.isFile() ? attempt(path, () => readFileSync(path), 'read') : undefined;
  if (content === undefined || !test(content))
    throw new AditError('FILE_EXISTS', `The file ${path} is there already and is not ${what}.`);
}

const staleMs = 60_000;

/**
 * Removes what a killed process left beside its target, which may be a private key. Recent files are kept, as their
 * process may still run.
 */
export function removeStale(path: string): void {
  attempt(path, () => {
    for (const name of readdirSync(dirname(path))) {
      if (!name.startsWith(`${basename(path)}.`) || !/^[0-9a-f]{12}\.tmp$/.test(name.slice(basename(path).length + 1)))
        continue;
      const file = join(dirname(path), name);
      if (Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Infinity) > staleMs)
        rmSync(file, { force: true });
    }
  });
}

function writeSynced(path: string, content: string | Uint8Array, mode: number): void {
  const file = openSync(path, 'wx', mode);
  try {
    fchmodSync(file, mode);
    writeFileSync(file, content);
    fsyncSync(file);
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
}

/** Without this a power failure may lose the name, although the content is on disk. Windows has no such call. */
function syncFolder(path: string): void {
  if (process.platform === 'win32') return;
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function attempt<T>(path: string, work: () => T, verb = 'write'): T {
  try {
    return work();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw alreadyThere(path, error);
    throw new AditError('FILE_UNREADABLE', `Cannot ${verb} ${path}: ${messageOf(error)}.`, { cause: error });
  }
}

export function alreadyThere(path: string, cause?: unknown): AditError {
  return new AditError('FILE_EXISTS', `The file ${path} is there already.`, { cause });
}
