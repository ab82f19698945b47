/**
 * The time between GOAWAY and the first OPEN that is refused for it: an OPEN that crosses the announcement is accepted.
 * Rule: only the first acknowledgement of GOAWAY, and the clock, end that time. A peer cannot make it longer than
 * `inAllMs`, whatever it sends or keeps to itself.
 * Not here: GOAWAY itself (session.ts), the timer that waits for the end (session/session-driver.ts).
 * Spec: docs/protocol.md section 3.8.
 */
import type { WireRefusal } from '../refusal.ts';

/**
 * How long OPENs are accepted behind the acknowledgement. An ACK is written before the frames that wait on its lane,
 * and says nothing of OPENs that are under way on other lanes. Both are late by a round trip at most, and by what a
 * lane may write ahead: 256 KiB take one second at 2 Mbit/s.
 */
export const behindAckMs = 1_000;
/**
 * How long OPENs are accepted at most: without resumption there are no acknowledgements, and a hostile peer sends none.
 * It is as long as an ingress waits for a PONG before it gives up a carrier.
 */
export const inAllMs = 3_000;

export class Departure {
  readonly #refusal: WireRefusal;
  /** Lane 0 up to here holds GOAWAY; absent where nothing is acknowledged. */
  readonly #offset: number | undefined;
  #untilMs: number;
  #acknowledged = false;

  constructor(
    refusal: WireRefusal,
    { offset, nowMs }: { readonly offset: number | undefined; readonly nowMs: number },
  ) {
    this.#refusal = refusal;
    this.#offset = offset;
    this.#untilMs = nowMs + inAllMs;
  }

  /** Lane 0 is acknowledged up to here. Returns whether that told for the first time that the peer knows. */
  acked(offset: number, nowMs: number): boolean {
    if (this.#acknowledged || this.#offset === undefined || offset < this.#offset) return false;
    this.#acknowledged = true;
    this.#untilMs = Math.min(this.#untilMs, nowMs + behindAckMs);
    return true;
  }

  /** How long OPENs are still accepted, ms; 0 when they are refused. */
  acceptsForMs(nowMs: number): number {
    return Math.max(0, this.#untilMs - nowMs);
  }

  /** Why an OPEN that comes now is refused, if it is. */
  refusal(nowMs: number): WireRefusal | undefined {
    return this.acceptsForMs(nowMs) > 0 ? undefined : this.#refusal;
  }
}
