/**
 * Several ways to the same end, started one after the other; the first that gets there wins (after RFC 8305).
 * Rule: each way is started once, the next when one before it failed or the stagger has passed; the losers are told to
 * stop, and what they still bring is thrown away. When all failed, the error is that of the first.
 */
export interface RaceOptions<T> {
  /** How long a way may go on alone before the next is started beside it, ms. */
  readonly staggerMs: number;
  readonly signal: AbortSignal;
  /** Is there any use in another way after this error? */
  readonly goOn: (error: unknown) => boolean;
  /** Throws away what came too late. */
  readonly discard: (late: T) => void;
  /** Every way failed; makes the one error of theirs. */
  readonly failed: (errors: readonly unknown[]) => Error;
}

export type Way<T> = (signal: AbortSignal) => Promise<T>;

export function race<T>(
  ways: readonly Way<T>[],
  { staggerMs, signal, goOn, discard, failed }: RaceOptions<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = new AbortController();
    const errors: unknown[] = [];
    let next = 0;
    let running = 0;
    let over = false;
    let timer: NodeJS.Timeout | undefined;
    const settle = (act: () => void): void => {
      over = true;
      clearTimeout(timer);
      stop.abort();
      act();
    };
    const lose = (at: number, error: unknown): void => {
      if (over) return;
      errors[at] = error;
      running--;
      if (!goOn(error) || signal.aborted) next = ways.length; // those that run may still get there
      if (next < ways.length) start();
      else if (running === 0) settle(() => reject(failed(errors.filter((one) => one !== undefined))));
    };
    const start = (): void => {
      clearTimeout(timer);
      if (next >= ways.length) return;
      const at = next++;
      running++;
      ways[at]!(AbortSignal.any([signal, stop.signal])).then(
        (value) => {
          if (over) discard(value);
          else settle(() => resolve(value));
        },
        (error: unknown) => lose(at, error),
      );
      if (next < ways.length) timer = setTimeout(start, staggerMs);
    };
    start();
  });
}
