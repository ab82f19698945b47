/**
 * How many look-ups can run at once: `getaddrinfo` blocks a thread of libuv's pool, and libuv gives look-ups half of
 * its threads, rounded up.
 * Rule: what is answered is what runs, never more: a queue that believes in more threads than there are would hand its
 * turns to a queue that knows no shares. The pool reads its size once, before its first use, so that this is checked
 * and not assumed.
 */
import { readdirSync } from 'node:fs';
import { access } from 'node:fs/promises';

/** Of libuv (threadpool.c): the size of a pool that nobody gave one, and the largest. */
const [defaultThreads, maxThreads] = [4, 1_024];
/**
 * The pool of an egress that was told none: 32 look-ups at once, of which one client may hold 16. A thread that has
 * nothing to do costs some 10 KiB.
 */
export const ownThreads = 64;

/**
 * Gives the pool its size, unless the environment has one, and answers how many look-ups run at once. Call it before
 * anything reads a file without blocking, or looks up a name.
 */
export async function startLookUpThreads(environment: NodeJS.ProcessEnv): Promise<number> {
  const told = environment[variable];
  if (told !== undefined) return lookUpsOf(poolSize(told));
  environment[variable] = String(ownThreads);
  const before = threads();
  await access('/'); // makes the pool start, if it has not
  const started = before !== undefined && threads()! - before >= ownThreads;
  if (!started) delete environment[variable]; // for the processes that we start, and for whoever asks
  return lookUpsOf(started ? ownThreads : defaultThreads);
}

const variable = 'UV_THREADPOOL_SIZE';

/** As libuv reads it, by `atoi`. */
function poolSize(text: string): number {
  const number = Number.parseInt(text, 10);
  return Math.min(maxThreads, Math.max(1, Number.isNaN(number) ? 1 : number));
}

function lookUpsOf(size: number): number {
  return Math.floor((size + 1) / 2);
}

/** The threads of this process; undefined where the system does not list them. */
function threads(): number | undefined {
  try {
    return readdirSync('/proc/self/task').length;
  } catch {
    return undefined;
  }
}
