/**
 * The moment by which something has to be done, on the monotonic clock.
 * Rule: several steps that share one deadline each get what is left of it; that is never 0, because a timeout of 0
 * means "none" to Node.
 * Not here: the timer (net/attempt.ts), a deadline that moves (net/patience.ts).
 */
import { seconds } from '../observe/seconds.ts';

/** A connection whose received bytes are counted: a socket. */
export interface Watched {
  readonly bytesRead: number;
}

export class Deadline {
  /** The whole time that was given, for error texts; milliseconds. */
  readonly totalMs: number;
  readonly #now: () => number;
  readonly #atMs: number;

  /** Begins now. `now` is a monotonic clock, ms. */
  constructor(totalMs: number, now: () => number = () => performance.now()) {
    this.totalMs = totalMs;
    this.#now = now;
    this.#atMs = now() + totalMs;
  }

  /** The time that is left, in whole milliseconds; 1 once it has passed. */
  get leftMs(): number {
    return Math.max(1, Math.round(this.#atMs - this.#now()));
  }

  get passed(): boolean {
    return this.#now() >= this.#atMs;
  }

  /** When to ask again whether it has passed, ms from now. */
  get nextLookMs(): number {
    return this.leftMs;
  }

  /** A connection was made in this time. It changes nothing here: see Patience. */
  watch(_connection: Watched): void {
    /* bytes do not move it */
  }

  /** For error texts: what was not done in time, and how long that is. */
  missed(what: string): string {
    return `${what} within ${seconds(this.totalMs)}`;
  }

  /** What is left, divided equally among so many steps: the deadline of the first of them. */
  share(steps: number): Deadline {
    return new Deadline(Math.max(1, (this.#atMs - this.#now()) / steps));
  }
}
