/**
 * What a long-running process does on signals: SIGHUP reloads, SIGUSR2 swaps carriers, SIGTERM and SIGINT drain. A
 * second SIGTERM or SIGINT cuts the drain short.
 * Rule: no signal is required that the platform does not have. Once this resolves, the process is about to end: a late
 * signal changes nothing, least of all the exit status.
 */

export interface SignalActions {
  readonly reload: () => void;
  /** SIGUSR2. */
  readonly swap: () => void;
  /** Ends the work in order; ends it at once when the signal aborts. */
  readonly drain: (impatient: AbortSignal) => Promise<void>;
  /** Ends the wait without a drain. */
  readonly until?: AbortSignal;
}

/** The part of `process` that this needs. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: () => void): SignalSource;
  off(signal: NodeJS.Signals, listener: () => void): SignalSource;
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
export function untilSignalled(
  { reload, swap, drain, until }: SignalActions,
  source: SignalSource = process,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const impatience = new AbortController();
    let draining = false;
    const finish = (): void => {
      for (const [signal, listener] of listeners) source.off(signal, listener).off(signal, ignore).on(signal, ignore);
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
    const listeners = Object.entries({
      SIGHUP: reload,
      SIGTERM: stop,
      SIGINT: stop,
      ...(process.platform !== 'win32' && { SIGUSR2: swap }),
    }) as [NodeJS.Signals, () => void][]; // Node refuses to listen for SIGUSR2 on Windows
    for (const [signal, listener] of listeners) source.on(signal, listener);
    until?.addEventListener('abort', finish, { once: true });
    if (until?.aborted) finish();
  });
}

function ignore(): void {
  /* the process ends by itself */
}
