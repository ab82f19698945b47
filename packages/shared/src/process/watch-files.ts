/**
 * Reports when any of a set of files changes: written in place, replaced by rename, or behind a symbolic link that now
 * leads elsewhere (Kubernetes).
 * Rule: the state of the files decides (resolved path, inode, mode, owner, size, times). It is compared at every hint
 * of the system and every two seconds besides, so that a missed hint costs time only. A change is reported once the
 * files have been still for 100 ms. Never throws after it returned, never keeps the process alive.
 * Not here: reading the files. A missing file is a state like any other.
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
  const watch = new Watch(paths, onChange, stillMs);
  const poll = setInterval(() => void watch.look(), pollMs).unref();
  const watchers = [...new Set(paths.map((path) => dirname(path)))].flatMap((folder) =>
    watchFolder(folder, () => watch.hint()),
  );
  signal.addEventListener(
    'abort',
    () => {
      clearInterval(poll);
      watch.close();
      for (const watcher of watchers) watcher.close();
    },
    { once: true },
  );
}

/** The states of the files: the one that was reported, and the one that was seen last. */
class Watch {
  readonly #paths: readonly string[];
  readonly #onChange: () => void;
  readonly #stillMs: number;
  #reported: string;
  #seen: string;
  #pending: NodeJS.Timeout | undefined;
  #looking = false;
  #closed = false;

  constructor(paths: readonly string[], onChange: () => void, stillMs: number) {
    this.#paths = paths;
    this.#onChange = onChange;
    this.#stillMs = stillMs;
    this.#reported = this.#seen = paths.map(stateNow).join('\n');
  }

  /** Something may have changed: looks once it had time to settle. */
  hint(): void {
    this.#pending ??= setTimeout(() => {
      this.#pending = undefined;
      void this.look();
    }, this.#stillMs).unref();
  }

  /** Reports a state that is new, and the same as at the look before. */
  async look(): Promise<void> {
    if (this.#looking) return this.hint();
    this.#looking = true;
    const state = (await Promise.all(this.#paths.map(stateOf))).join('\n');
    this.#looking = false;
    if (this.#closed) return;
    const still = state === this.#seen;
    this.#seen = state;
    if (state === this.#reported) return;
    if (!still) return this.hint();
    this.#reported = state;
    this.#onChange();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#pending);
  }
}

/**
 * Watches the folder: a watch on a file follows its inode and misses the rename that replaces it. If the folder cannot
 * be watched, polling remains.
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

/** The same without waiting, for the state that the caller has read or is about to read. */
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
