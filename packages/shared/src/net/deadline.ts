/**
 * The moment by which something has to be done, on the monotonic clock.
 * Rule: several steps that share one deadline each get what is left of it; that is never 0, because a timeout of 0
 * means "none" to Node.
 * Not here: the timer (net/attempt.ts).
 */

export class Deadline {
  /** The whole time that was given, for error texts; milliseconds. */
  readonly totalMs: number;
  readonly #atMs: number;

  /** Begins now. */
  constructor(totalMs: number) {
    this.totalMs = totalMs;
    this.#atMs = performance.now() + totalMs;
  }

  /** The time that is left, in whole milliseconds; 1 once it has passed. */
  get leftMs(): number {
    return Math.max(1, Math.round(this.#atMs - performance.now()));
  }

  get passed(): boolean {
    return performance.now() >= this.#atMs;
  }

  /** What is left, divided equally among so many steps: the deadline of the first of them. */
  share(steps: number): Deadline {
    return new Deadline(Math.max(1, (this.#atMs - performance.now()) / steps));
  }
}
