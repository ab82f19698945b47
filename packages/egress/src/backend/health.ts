/**
 * Is a backend up? Counted in a row: so many failures, of checks or of dials, make it down, so many successes up again.
 * Rule: it begins up, so that a start waits for nothing; a single success ends a row of failures, and the other way
 * round.
 * Not here: the clock and the checks (checks.ts), what follows from it (pool.ts).
 */

export interface HealthBounds {
  readonly rise: number;
  readonly fall: number;
}

export class Health {
  #bounds: HealthBounds;
  #up = true;
  #row = 0;

  constructor(bounds: HealthBounds) {
    this.#bounds = bounds;
  }

  get up(): boolean {
    return this.#up;
  }

  /** A reload: the bounds are others, what is known stays. */
  rebound(bounds: HealthBounds): void {
    this.#bounds = bounds;
  }

  /** One check or dial came to its end. True when that turned it from up to down or back. */
  report(succeeded: boolean): boolean {
    if (succeeded === this.#up) {
      this.#row = 0;
      return false;
    }
    this.#row++;
    if (this.#row < (this.#up ? this.#bounds.fall : this.#bounds.rise)) return false;
    this.#up = succeeded;
    this.#row = 0;
    return true;
  }
}

/**
 * How long a backend that nobody is told to check waits, at least and at most, before it is looked at again while it is
 * down.
 */
export const retryBounds = { firstMs: 1_000, capMs: 30_000 } as const;

/**
 * The wait before the next check, drawn from [0, 1): a tenth around the interval, so that many checks do not fall in
 * step.
 */
export function checkDelayMs(intervalMs: number, drawn: number): number {
  return Math.round(intervalMs * (0.9 + 0.2 * drawn));
}

/**
 * The wait before look `number` (from 0) at a backend that is down and has no checks: 1 s, doubling up to 30 s, of
 * which up to a half is left to chance.
 */
export function retryDelayMs(number: number, drawn: number): number {
  const bound = Math.min(retryBounds.capMs, retryBounds.firstMs * 2 ** Math.min(number, 16));
  return Math.round(bound * (0.5 + 0.5 * drawn));
}
