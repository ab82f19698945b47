/**
 * What a long-running process does on signals: SIGHUP reloads, SIGUSR2 swaps carriers, SIGTERM and SIGINT drain, a second one of these cuts the drain short.
 * Rule: signals that a platform does not have are not required; the listeners are gone when this resolves.
 */

export interface SignalActions {
  readonly reload: () => void;
  /** SIGUSR2; absent: the signal is left alone. */
  readonly swap?: () => void;
  /** Finishes in order; hurries when the signal aborts. */
  readonly drain: (impatient: AbortSignal) => Promise<void>;
  /** Ends the wait without a drain. */
  readonly until?: AbortSignal;
}

/** The part of `process` that this needs. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: () => void): unknown;
  off(signal: NodeJS.Signals, listener: () => void): unknown;
}

/** Resolves when `work` does, when `ms` have passed, or when the signal aborts, whichever is first. */
export async function within(work: Promise<void>, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  let timer: NodeJS.Timeout | undefined;
  let hurry = (): void => {};
  const enough = new Promise<void>((resolve) => {
    hurry = () => resolve();
    timer = setTimeout(hurry, ms);
    signal.addEventListener('abort', hurry, { once: true });
  });
  await Promise.race([work, enough]);
  clearTimeout(timer);
  signal.removeEventListener('abort', hurry);
}

/** Resolves when a drain is done or `until` aborts. */
export function untilSignalled({ reload, swap: wanted, drain, until }: SignalActions, source: SignalSource = process): Promise<void> {
  const swap = process.platform === 'win32' ? undefined : wanted; // Node refuses to listen for it there
  return new Promise((resolve, reject) => {
    const impatience = new AbortController();
    let draining = false;
    const finish = (): void => {
      source.off('SIGHUP', reload);
      if (swap) source.off('SIGUSR2', swap);
      source.off('SIGTERM', stop);
      source.off('SIGINT', stop);
      until?.removeEventListener('abort', finish);
      resolve();
    };
    const stop = (): void => {
      if (draining) {
        impatience.abort();
        return;
      }
      draining = true;
      drain(impatience.signal).then(finish, reject);
    };
    source.on('SIGHUP', reload);
    if (swap) source.on('SIGUSR2', swap);
    source.on('SIGTERM', stop);
    source.on('SIGINT', stop);
    until?.addEventListener('abort', finish, { once: true });
    if (until?.aborted) finish();
  });
}
