/**
 * What a peer may spend per time: a sum that fills up steadily, to a limit.
 * Rule: the clock is an argument; more than the limit is never there at once.
 */

export interface AllowanceOptions {
  readonly perSecond: number;
  /** What is there at first, and at most. */
  readonly burst: number;
}

export class Allowance {
  readonly #options: AllowanceOptions;
  #left: number;
  #atMs: number;

  constructor(options: AllowanceOptions, nowMs: number) {
    this.#options = options;
    this.#left = options.burst;
    this.#atMs = nowMs;
  }

  /** Spends so much; returns false, and spends nothing, if it is not there. */
  spend(amount: number, nowMs: number): boolean {
    const { perSecond, burst } = this.#options;
    this.#left = Math.min(burst, this.#left + (Math.max(0, nowMs - this.#atMs) / 1_000) * perSecond);
    this.#atMs = nowMs;
    if (amount > this.#left) return false;
    this.#left -= amount;
    return true;
  }
}
