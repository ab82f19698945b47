/**
 * The lock of a store: one process at a time, also when one of them is killed while it has it.
 * Rule: the lock is a file that appears complete (a hard link), so there is never one without a holder in it. A lock
 * whose holder is gone
 * is removed by whoever holds the lock `LOCK.break.TOKEN` and still finds that TOKEN in it: so nobody removes a fresh
 * lock.
 * Not here: readers. They take no lock; every file of the store is whole at all times.
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
    // Uneven waits, so that those who wait do not all come at once.
    else await delay(10 + Math.random() * 40);
  }
}

/** False when somebody has it. */
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
 * False when the name was taken at that moment; whoever had it may be gone a moment later, so the link alone decides
 * and nobody looks again. `mkdir` says EEXIST too, when a file is where the folder should be.
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

/** Undefined when the lock is free by now, or was not written by us. */
function holderOf(path: string): LockHolder | undefined {
  try {
    return parseHolder(readFileSync(path, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new AditError('FILE_UNREADABLE', `Cannot read the lock ${path}: ${messageOf(error)}.`, { cause: error });
  }
}

/**
 * What killed processes left beside the lock and in the store. Only the holder of the lock writes files of the store.
 */
function removeLeftovers(path: string): void {
  const folder = dirname(path);
  for (const name of readdirSync(folder)) {
    if (!/^(?:ca\.crt|ca\.key|index\.json|crl\.pem)\.[0-9a-f]{12}\.tmp$/.test(name) && !isDeadWaiter(path, name))
      continue;
    rmSync(join(folder, name), { force: true });
  }
}

/** The temporary file of one who was killed before linking it; one without a holder in it is judged by its age. */
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
