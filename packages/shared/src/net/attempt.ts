/**
 * One attempt at something that succeeds or fails by an event: a connection, a handshake, a look-up.
 * Rule: it settles once. The timer and the abort listener are gone when it settles. An attempt that fails, for whatever
 * reason, gives up what it opened before it rejects, and a success that comes after that is given up too.
 * Not here: trying again (net/backoff.ts), and what to open: `start` may listen only, or open something as well.
 */
import type { Deadline } from './deadline.ts';

interface Limits<T> {
  readonly deadline: Deadline;
  /** The error when the deadline passes. */
  readonly timedOut: () => Error;
  /** Ends what was opened. Called when the attempt fails, and again with the value of a success that comes too late. */
  readonly giveUp: (late?: T) => void;
}

interface Abortable {
  readonly signal: AbortSignal | undefined;
  /** The error when the signal is aborted. */
  readonly aborted: () => Error;
}

export type AttemptOptions<T> = Limits<T> & (Abortable | { readonly signal?: never; readonly aborted?: never });

/** How `start` tells what happened. Only the first call counts. */
export interface Settle<T> {
  readonly succeed: (value: T) => void;
  readonly fail: (error: Error) => void;
}

/**
 * Calls `start` at once, except when the signal is aborted already. Rejects with the error of `timedOut` or `aborted`,
 * with what `start` passed to `fail`, or with what it threw.
 */
export function attempt<T>(options: AttemptOptions<T>, start: (settle: Settle<T>) => void): Promise<T> {
  const { deadline, signal, timedOut, aborted, giveUp } = options;
  return new Promise((resolve, reject) => {
    let state: 'open' | 'succeeded' | 'failed' = 'open';
    const settle = (as: 'succeeded' | 'failed'): void => {
      state = as;
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    const succeed = (value: T): void => {
      if (state === 'failed') giveUp(value);
      if (state !== 'open') return;
      settle('succeeded');
      resolve(value);
    };
    const fail = (error: Error): void => {
      if (state !== 'open') return;
      settle('failed');
      giveUp();
      reject(error);
    };
    function look(): void {
      if (deadline.passed) fail(timedOut());
      else timer = setTimeout(look, deadline.nextLookMs);
    }
    const onAbort = (): void => fail(aborted!());
    let timer = setTimeout(look, deadline.nextLookMs);
    if (signal?.aborted === true) return onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      start({ succeed, fail });
    } catch (error) {
      fail(error as Error);
    }
  });
}
