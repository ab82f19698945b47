/**
 * Whether the peer still answers: for how long it has owed an answer and given none.
 * Rule: the clock runs while sent bytes are unacknowledged or a PING is unanswered, and while there is no carrier and
 * an OPEN is unanswered. An ACK that moves on, an answer to OPEN and a PONG restart it. Other bytes of the peer do not:
 * a path that carries bytes one way only is silent too. An OPEN alone does not start it, because a dial may take long.
 * Not here: asking by PING (session/doubt.ts), and giving a carrier up (session/keepalive.ts).
 * Spec: docs/protocol.md section 3.4.
 */

/** A peer that owes an answer is asked after this time, or after four round trips if they take longer, ms. */
export const patienceMs = 1_000;
const patienceRoundTrips = 4;

export class Silence {
  #sinceMs: number | undefined;
  #asked = false;

  /** The peer owes an answer. */
  get runs(): boolean {
    return this.#sinceMs !== undefined;
  }
  /** A PING waits for its PONG. */
  get asked(): boolean {
    return this.#asked;
  }

  /** The peer owes an answer from now on, unless it owes one already. */
  begin(nowMs: number): void {
    this.#sinceMs ??= nowMs;
  }

  /** A PING goes out: the clock runs until the peer answers, whatever becomes of what it owed. */
  ask(nowMs: number): void {
    this.#asked = true;
    this.begin(nowMs);
  }

  /** The peer has answered, or a new carrier begins; `owes`: there is something else that it owes. */
  restart(nowMs: number, owes: boolean): void {
    this.#asked = false;
    this.#sinceMs = owes ? nowMs : undefined;
  }

  /** For how long it has owed an answer, ms; 0 if it owes none. */
  lastsMs(nowMs: number): number {
    return this.#sinceMs === undefined ? 0 : nowMs - this.#sinceMs;
  }
}

/** How long an answer may take before there is a doubt, ms. */
export function patience(srttMs: number): number {
  return Math.max(patienceMs, patienceRoundTrips * srttMs);
}
