/**
 * What a long-running process does on signals: SIGHUP reloads, or drains where it says that a terminal closed; SIGUSR2
 * swaps carriers, SIGTERM and SIGINT drain. A second SIGTERM or SIGINT cuts the drain short; a second SIGHUP does not,
 * because a terminal that closes sends it twice, once by the kernel and once by the shell. SIGUSR1 is only told.
 * Rule: no signal is required that the platform does not have. Once this resolves, the process is about to end: a late
 * signal changes nothing, least of all the exit status. SIGUSR1 always has a listener, or Node would open its debugger
 * in a process that holds keys.
 */
import { closeSync, constants, openSync } from 'node:fs';
import type { Logger } from '../observe/logger.ts';

/** What SIGHUP means: `auto` is a reload without a controlling terminal, and the end with one. */
export type ReloadSignal = 'auto' | 'SIGHUP' | 'none';

export interface SignalActions {
  readonly reload: () => void;
  /** Default `SIGHUP`: a reload in any case. */
  readonly reloadSignal?: ReloadSignal;
  /** SIGUSR1, which changes nothing. */
  readonly ignored: (signal: NodeJS.Signals) => void;
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

/** Has the process a controlling terminal, whose end it is told by SIGHUP? Ask at the start: later it may be gone. */
export function hasTerminal(): boolean {
  if (process.platform === 'win32') return true; // SIGHUP always means that the console closes
  try {
    closeSync(openSync('/dev/tty', constants.O_RDONLY | constants.O_NOCTTY | constants.O_NONBLOCK));
    return true;
  } catch {
    return false;
  }
}

/**
 * Takes SIGUSR1 and does nothing, so that Node does not open its debugger. For every program, from its first line on;
 * `untilSignalled` listens beside it.
 */
export function refuseDebugger(source: Pick<NodeJS.EventEmitter, 'off' | 'on'> = process): void {
  if (process.platform !== 'win32') source.off('SIGUSR1', ignore).on('SIGUSR1', ignore);
}

/** The line that `ignored` writes. */
export function logIgnored(log: Logger, signal: NodeJS.Signals): void {
  log.info({ event: 'ignored', signal }, `${signal} changes nothing`);
}

/** Resolves when a drain is done or `until` aborts. */
export function untilSignalled(
  { reload, reloadSignal = 'SIGHUP', swap, ignored, drain, until }: SignalActions,
  source: SignalSource = process,
  terminal: () => boolean = hasTerminal,
): Promise<void> {
  const hangUpEnds = reloadSignal === 'none' || (reloadSignal === 'auto' && terminal());
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
    const hangUp = (): void => {
      if (!draining) stop();
    };
    const listeners = Object.entries({
      SIGHUP: hangUpEnds ? hangUp : reload,
      SIGTERM: stop,
      SIGINT: stop,
      ...(process.platform !== 'win32' && { SIGUSR1: () => ignored('SIGUSR1'), SIGUSR2: swap }),
    }) as [NodeJS.Signals, () => void][]; // Node refuses to listen for SIGUSR1 and SIGUSR2 on Windows
    for (const [signal, listener] of listeners) source.on(signal, listener);
    until?.addEventListener('abort', finish, { once: true });
    if (until?.aborted) finish();
  });
}

function ignore(): void {
  /* the process ends by itself */
}
