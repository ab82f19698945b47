/**
 * The credit of one direction of a stream, kept by the side that receives.
 * Rule: credit is granted for bytes that the destination accepted, never for bytes that only arrived; granted -
 * accepted never exceeds the window. The window doubles, up to its maximum, while half of it is consumed within two
 * round trips: then the window is the limit, and not the destination. One round trip is not enough: a sender that reads
 * by the piece leaves a piece of its credit unused, so that it sends all of a small window at once and waits.
 * Spec: docs/protocol.md section 3.6.
 */

/** A peer may not announce less, because a sender waits for the credit of a whole read. */
export const minWindowBytes = 262_144;
export const defaultWindowBytes = 262_144;
export const maxWindowBytes = 8_388_608;
/** By how much all windows of a session together may grow. */
export const maxSessionGrowthBytes = 67_108_864;

const growthRoundTrips = 2;

export class ReceiveWindow {
  received = 0;
  accepted = 0;
  #granted: number;
  #window: number;
  #grantedAtMs = 0;

  readonly #initial: number;

  constructor(initialBytes: number) {
    this.#initial = this.#granted = this.#window = initialBytes;
  }

  /** By how much it has grown; bytes. */
  get grown(): number {
    return this.#window - this.#initial;
  }

  /** Counts received bytes; returns false if the peer sent more than it was granted. */
  receive(bytes: number): boolean {
    this.received += bytes;
    return this.received <= this.#granted;
  }

  /**
   * The destination has accepted `total` bytes so far. Returns the credit to grant now, which may be 0. The window
   * grows by at most `mayGrow` bytes.
   */
  accept(
    total: number,
    { nowMs, srttMs, mayGrow }: { readonly nowMs: number; readonly srttMs: number; readonly mayGrow: number },
  ): number {
    this.accepted = total;
    const owed = this.accepted + this.#window - this.#granted;
    if (owed * 2 < this.#window) return 0;
    if (nowMs - this.#grantedAtMs < growthRoundTrips * srttMs)
      this.#window += Math.max(0, Math.min(this.#window, maxWindowBytes - this.#window, mayGrow));
    this.#grantedAtMs = nowMs;
    const credit = this.accepted + this.#window - this.#granted;
    this.#granted += credit;
    return credit;
  }
}
