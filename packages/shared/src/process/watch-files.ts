/**
 * Tells when any of a set of files changes: written in place, replaced by rename, or behind a symbolic link that was
 * swapped (Kubernetes).
 * Rule: what decides is the state of the files (resolved path, inode, mode, owner, size, times), compared on every hint
 * from the system and
 * every two seconds besides, so that a missed or unsupported hint costs time only. It reports once the files have been
 * still for
 *       100 ms. Never throws after it returned, never keeps the process alive.
 * Not here: reading the files. A file that is missing is a state like any other.
 */
import { type BigIntStats, type FSWatcher, realpathSync, statSync, watch } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

export const watchDefaults = { stillMs: 100, pollMs: 2000 } as const;
export interface WatchOptions {
  readonly stillMs?: number;
  readonly pollMs?: number;
}

/** Calls `onChange` after every change, until `signal` aborts. A change made after this returns is never missed. */
export function watchFiles(
  paths: readonly string[],
  onChange: () => void,
  options: WatchOptions & { readonly signal: AbortSignal },
): void {
  const { stillMs, pollMs, signal } = { ...watchDefaults, ...options };
  if (signal.aborted) return;
  let reported = paths.map(stateNow).join('\n');
  let seen = reported;
  let pending: NodeJS.Timeout | undefined;
  let looking = false;

  const look = async (): Promise<void> => {
    if (looking) {
      settleLater();
      return;
    }
    looking = true;
    const state = (await Promise.all(paths.map(stateOf))).join('\n');
    looking = false;
    if (signal.aborted) return;
    const still = state === seen;
    seen = state;
    if (state === reported) return;
    if (!still) {
      settleLater();
      return;
    }
    reported = state;
    onChange();
  };
  const settleLater = (): void => {
    pending ??= setTimeout(() => {
      pending = undefined;
      void look();
    }, stillMs).unref();
  };

  const poll = setInterval(() => {
    void look();
  }, pollMs).unref();
  const watchers = [...new Set(paths.map((path) => dirname(path)))].flatMap((folder) =>
    watchFolder(folder, settleLater),
  );
  signal.addEventListener(
    'abort',
    () => {
      clearInterval(poll);
      clearTimeout(pending);
      for (const watcher of watchers) watcher.close();
    },
    { once: true },
  );
}

/**
 * The folder, because a watch on a file follows its inode and misses the rename that replaces it. Without a watch,
 * polling remains.
 */
function watchFolder(folder: string, onHint: () => void): FSWatcher[] {
  try {
    const watcher = watch(folder, { persistent: false }, onHint);
    watcher.on('error', () => {
      watcher.close();
    });
    return [watcher];
  } catch {
    return [];
  }
}

async function stateOf(path: string): Promise<string> {
  try {
    return describe(await realpath(path), await stat(path, { bigint: true }));
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}

/** The same without waiting: the state that the caller read, or is about to. */
function stateNow(path: string): string {
  try {
    return describe(realpathSync(path), statSync(path, { bigint: true }));
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}

function describe(target: string, { dev, ino, mode, uid, gid, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [target, dev, ino, mode, uid, gid, size, mtimeNs, ctimeNs].join(' ');
}
