/**
 * Cleans up after a test file: what it started and made is undone in reverse order after its last test.
 * Rule: a clean-up that fails fails the file, after all others have run. A program outside of jest, such as the soak,
 * calls `undoAll` itself.
 */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const jestGlobals = process.env['JEST_WORKER_ID'] === undefined ? undefined : await import('@jest/globals');

type Undo = () => unknown;
const undos: Undo[] = [];

// A wait that hangs fails by `within`; this is far above what a busy machine takes.
jestGlobals?.jest.setTimeout(120_000);
jestGlobals?.afterAll(undoAll, 120_000);

/** Undoes everything; throws what failed. */
export async function undoAll(): Promise<void> {
  const failures: unknown[] = [];
  for (let undo = undos.pop(); undo !== undefined; undo = undos.pop()) {
    try {
      await undo();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length === 1) throw failures[0];
  if (failures.length > 1) throw new Error(`${failures.length} clean-ups failed:\n${failures.map(String).join('\n')}`);
}

/** Runs `undo` when the file is done. */
export function atEnd(undo: Undo): void {
  undos.push(undo);
}

/** A new folder that is removed at the end. */
export function temporaryFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'adit-test-')));
  atEnd(() => {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  return folder;
}

/** Awaits `promise`. After `ms` it fails with an error that names `what`, and `detail`, which is asked only then. */
export async function within<T>(
  ms: number,
  what: string,
  promise: Promise<T>,
  detail: () => string = () => '',
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`${what}: not within ${ms} ms\n${detail()}`));
    }, ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Asks `holds` again and again until it is true, or fails after `ms`; for a state that has no event. `detail`
 * is asked only then.
 */
export async function eventually(
  what: string,
  holds: () => boolean,
  { ms = 30_000, detail = () => '' }: { readonly ms?: number; readonly detail?: () => string } = {},
): Promise<void> {
  const lateAtMs = performance.now() + ms;
  while (!holds()) {
    if (performance.now() > lateAtMs) throw new Error(`${what}: not within ${ms} ms\n${detail()}`);
    await delay(10);
  }
}
