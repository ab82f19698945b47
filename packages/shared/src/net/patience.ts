/**
 * A deadline that moves while bytes arrive, for what may take long because the network is slow: over after `quietMs`
 * without a byte, and after `slowest` times as long in any case.
 * Rule: every connection that the attempt makes is given to `watch` when it is connected. Only received bytes count:
 * what is sent may just fill a buffer.
 * Not here: for whom time has to be bounded whatever arrives (an egress, for strangers) a Deadline is right.
 */
import { seconds } from '../observe/seconds.ts';
import { Deadline, type Watched } from './deadline.ts';

/** How many times the time without a byte the whole may take: 60 s where that is 10 s. */
export const slowest = 6;
/** How often bytes are looked for in the time without a byte: it ends at most a tenth too late. */
const looks = 10;

export class Patience extends Deadline {
  readonly #quietMs: number;
  readonly #now: () => number;
  #connection: Watched = { bytesRead: 0 };
  #bytes = 0;
  #heard = false;
  #heardAtMs: number;

  /** Begins now. `now` is a monotonic clock, ms. */
  constructor(quietMs: number, now: () => number = () => performance.now()) {
    super(slowest * quietMs, now);
    this.#quietMs = quietMs;
    this.#now = now;
    this.#heardAtMs = now();
  }

  override get leftMs(): number {
    this.#look();
    return Math.max(1, Math.min(super.leftMs, Math.round(this.#heardAtMs + this.#quietMs - this.#now())));
  }

  override get passed(): boolean {
    this.#look();
    return super.passed || this.#now() >= this.#heardAtMs + this.#quietMs;
  }

  override get nextLookMs(): number {
    return Math.max(1, Math.min(this.leftMs, Math.round(this.#quietMs / looks)));
  }

  override watch(connection: Watched): void {
    this.#connection = connection;
    this.#bytes = connection.bytesRead;
    this.#hear();
  }

  override missed(what: string): string {
    if (super.passed) return super.missed(what);
    return this.#heard
      ? `${what}: nothing arrived for ${seconds(this.#quietMs)}`
      : `${what} within ${seconds(this.#quietMs)}`;
  }

  #look(): void {
    const { bytesRead } = this.#connection;
    if (bytesRead !== this.#bytes) this.#hear();
    this.#bytes = bytesRead;
  }

  #hear(): void {
    this.#heard = true;
    this.#heardAtMs = this.#now();
  }
}
