/**
 * How long to wait before the next attempt: not at all, then a random time up to 50 ms, 100 ms, 200 ms ... 5 s ("full
 * jitter").
 * Rule: the wait is random over the whole range, so that a thousand ingresses do not return in step after an egress
 * restarts.
 * Not here: the waiting.
 */

export interface BackoffOptions {
  /** The upper bound of the second wait; the first is 0. */
  readonly firstMs?: number;
  /** The bound at which the doubling stops. */
  readonly capMs?: number;
  /** A number in [0, 1). */
  readonly random?: () => number;
}

export interface Backoff {
  /** The wait before the next attempt, in milliseconds. */
  next(): number;
  /** Call it after a success: the next wait is 0 again. */
  reset(): void;
}

export const backoffDefaults = { firstMs: 50, capMs: 5000, random: Math.random } as const;

export function newBackoff(options: BackoffOptions = {}): Backoff {
  const { firstMs, capMs, random } = { ...backoffDefaults, ...options };
  let bound = 0;
  return {
    next: () => {
      const wait = Math.floor(random() * bound);
      bound = bound === 0 ? Math.min(firstMs, capMs) : Math.min(bound * 2, capMs);
      return wait;
    },
    reset: () => {
      bound = 0;
    },
  };
}
