/**
 * Whether a backend is up: `fall` failures of probes or dials in a row make it down, `rise` successes in a row make it
 * up again.
 * Rule: a backend starts as up, so that the start of the egress waits for nothing. One success ends a row of failures,
 * and one failure a row of successes.
 * Not here: the clock and the probes (probes.ts), what follows from the health (pool.ts).
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

  /** Takes the bounds of a reloaded policy; what is known stays. */
  rebound(bounds: HealthBounds): void {
    this.#bounds = bounds;
  }

  /** Counts the outcome of one probe or dial. Returns true when the health changed. */
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

/** The shortest and the longest wait between two probes of a backend that is down and has no `health`. */
export const retryBounds = { firstMs: 1_000, capMs: 30_000 } as const;

/**
 * The wait before the next probe, by a number drawn from [0, 1): within a tenth of the interval, so that probes of many
 * backends do not fall into step.
 */
export function probeDelayMs(intervalMs: number, drawn: number): number {
  return Math.round(intervalMs * (0.9 + 0.2 * drawn));
}

/**
 * The wait before probe `number` (from 0) of a backend that is down and has no `health`: 1 s, doubled each time up to
 * 30 s, of which up to a half is random.
 */
export function retryDelayMs(number: number, drawn: number): number {
  const bound = Math.min(retryBounds.capMs, retryBounds.firstMs * 2 ** Math.min(number, 16));
  return Math.round(bound * (0.5 + 0.5 * drawn));
}
