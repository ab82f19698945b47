/**
 * How often one identity may do something: a token bucket each, forgotten when it is full again.
 * Rule: the clock is an argument; what is refused costs no token, so that a flood does not prolong itself.
 */

/** How often the full buckets are removed, ms. */
const sweepEveryMs = 15_000;

export interface RateOptions {
  readonly perSecond: number;
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

export class Rates {
  readonly #options: RateOptions;
  readonly #buckets = new Map<string, Bucket>();
  #sweepAtMs = 0;

  constructor(options: RateOptions) {
    this.#options = options;
  }

  /** Buckets in memory; for tests of leaks. */
  get size(): number {
    return this.#buckets.size;
  }

  /** Takes a token. Returns 0, or without one the milliseconds after which there is one. */
  take(owner: string, nowMs: number): number {
    const { perSecond, burst } = this.#options;
    if (nowMs >= this.#sweepAtMs) this.sweep(nowMs);
    const bucket = this.#buckets.get(owner) ?? { tokens: burst, atMs: nowMs };
    bucket.tokens = Math.min(burst, bucket.tokens + ((nowMs - bucket.atMs) / 1000) * perSecond);
    bucket.atMs = nowMs;
    if (bucket.tokens < 1) return Math.ceil(((1 - bucket.tokens) / perSecond) * 1000);
    bucket.tokens--;
    this.#buckets.set(owner, bucket);
    return 0;
  }

  /** Forgets the buckets that are full by now. */
  sweep(nowMs: number): void {
    const { perSecond, burst } = this.#options;
    this.#sweepAtMs = nowMs + sweepEveryMs;
    for (const [owner, { tokens, atMs }] of this.#buckets)
      if (tokens + ((nowMs - atMs) / 1000) * perSecond >= burst) this.#buckets.delete(owner);
  }
}
