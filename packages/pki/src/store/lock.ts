/**
 * The lock of a store: one process at a time, even if one is killed while it holds the lock.
 * Rule: the lock is a file that appears complete (by a hard link), so that it always names its holder. A lock whose
 * holder is gone is removed only by the holder of the lock `LOCK.break.TOKEN`, and only if TOKEN is still in it, so
 * that nobody removes a fresh lock.
 * Not here: readers. They take no lock, as every file of the store is complete at all times.
 */
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AditError, messageOf } from '@adit/shared/errors';
import { formatHolder, isGone, parseHolder, thisHolder, type LockHolder } from './lock-holder.ts';

export interface LockOptions {
  /** Default 10 s. */
  readonly waitMs?: number;
}

/**
 * Runs `work` while holding the lock; the folder is made if it is missing. Fails with CA_BUSY, FILE_UNREADABLE, and as
 * `work` does.
 */
export async function withLock<T>(
  path: string,
  work: () => T | Promise<T>,
  { waitMs = 10_000 }: LockOptions = {},
): Promise<T> {
  const holder = thisHolder();
  await acquire(path, holder, Date.now() + waitMs);
  try {
    removeLeftovers(path);
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

async function acquire(path: string, holder: LockHolder, deadline: number): Promise<void> {
  while (!take(path, holder)) {
    const other = holderOf(path);
    if (other !== undefined && isGone(other)) await breakLock(path, other, deadline);
    else if (Date.now() >= deadline) throw busy(path, other);
    // Random waits, so that the waiting processes do not all try at once.
    else await delay(10 + Math.random() * 40);
  }
}

/** Returns false if another process has it. */
function take(path: string, holder: LockHolder): boolean {
  if (existsSync(path)) return false;
  const temporary = `${path}.${holder.token}.tmp`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(temporary, formatHolder(holder), { mode: 0o600 });
    return linked(temporary, path);
  } catch (error) {
    throw new AditError('FILE_UNREADABLE', `Cannot lock the store (${path}): ${messageOf(error)}.`, { cause: error });
  }
}

/**
 * Returns false if the name was taken at that moment. Only the link decides, because the holder may be gone a moment
 * later. It is apart from `mkdir`, which also fails with EEXIST if a file is in place of the folder.
 */
function linked(temporary: string, path: string): boolean {
  try {
    linkSync(temporary, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
}

async function breakLock(path: string, gone: LockHolder, deadline: number): Promise<void> {
  const right = `${path}.break.${gone.token}`;
  await acquire(right, thisHolder(), deadline);
  try {
    if (holderOf(path)?.token === gone.token) rmSync(path, { force: true });
  } finally {
    rmSync(right, { force: true });
  }
}

/** Undefined if the lock is free by now, or if another program wrote it. */
function holderOf(path: string): LockHolder | undefined {
  try {
    return parseHolder(readFileSync(path, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new AditError('FILE_UNREADABLE', `Cannot read the lock ${path}: ${messageOf(error)}.`, { cause: error });
  }
}

/** Removes what killed processes left beside the lock and in the store, where only the holder of the lock writes. */
function removeLeftovers(path: string): void {
  const folder = dirname(path);
  for (const name of readdirSync(folder)) {
    if (!/^(?:ca\.crt|ca\.key|index\.json|crl\.pem)\.[0-9a-f]{12}\.tmp$/.test(name) && !isDeadWaiter(path, name))
      continue;
    rmSync(join(folder, name), { force: true });
  }
}

/** Whether it is the temporary file of a process killed before the link; without a holder in it, its age decides. */
function isDeadWaiter(path: string, name: string): boolean {
  if (!name.startsWith(`${basename(path)}.`) || !/\.[0-9a-f]{24}\.tmp$/.test(name)) return false;
  const file = join(dirname(path), name);
  const holder = holderOf(file);
  if (holder !== undefined) return isGone(holder);
  const age = Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Infinity);
  return age > 60_000;
}

function busy(path: string, holder: LockHolder | undefined): AditError {
  const who =
    holder === undefined ? 'something that is not adit wrote it' : `process ${holder.pid} on ${holder.host} has it`;
  return new AditError('CA_BUSY', `The store is locked: ${who}. If nothing uses the store, remove ${path}.`);
}
