/**
 * Doubts a peer that owes an answer for too long, and asks it by PING; a carrier that is doubted gets no new OPEN.
 * Rule: begins after max(1 s, 4 round trips) without an answer, ends with the answer or with the carrier. A doubt ends
 * nothing: a carrier that is merely slow is worth keeping. An OPEN that is unanswered for as long is no doubt, because
 * a dial may take long: the peer is asked, and only doubted if it does not answer that.
 * Not here: what counts as an answer (protocol/mux/silence.ts), and giving a carrier up (keepalive.ts).
 * Spec: docs/protocol.md section 3.4.
 */
import { performance } from 'node:perf_hooks';
import type { SessionLane } from '../protocol/mux/session-lane.ts';

/** What is doubted: a lane, or whatever else owes answers. */
export type Doubted = Pick<SessionLane, 'silence' | 'unanswered' | 'patienceMs' | 'doubted' | 'ping'>;

export interface DoubtEvents {
  begins(): void;
  ends(): void;
}

export class Doubt {
  readonly #doubted: Doubted;
  readonly #events: DoubtEvents;
  #timer: NodeJS.Timeout | undefined;
  #holds = false;
  #judging: NodeJS.Immediate | undefined;

  constructor(doubted: Doubted, events: DoubtEvents) {
    this.#doubted = doubted;
    this.#events = events;
  }

  get holds(): boolean {
    return this.#holds;
  }

  /** Something was sent: its answer is awaited, if it is not yet. Called for every flush. */
  watch(): void {
    const { silence, unanswered, patienceMs } = this.#doubted;
    if (this.#timer !== undefined || this.#holds || !(silence.runs || unanswered > 0)) return;
    const leftMs = Math.max(1, patienceMs - silence.lastsMs(performance.now()));
    // Judged after the reads that wait: if it was this process that hung, the answers are there already.
    this.#timer = setTimeout(() => {
      this.#judging = setImmediate(() => this.#judge());
    }, leftMs).unref();
  }

  /** Bytes arrived. */
  settle(): void {
    if (!this.#holds || this.#doubted.doubted) return;
    this.#holds = false;
    this.watch();
    this.#events.ends();
  }

  /** The carrier is gone. */
  stop(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#judging);
    this.#timer = undefined;
    this.#holds = false;
  }

  #judge(): void {
    this.#timer = undefined;
    const { silence, unanswered, doubted } = this.#doubted;
    if (doubted) {
      this.#holds = true;
      this.#ask();
      this.#events.begins();
      return;
    }
    if (!silence.runs && unanswered > 0) this.#ask();
    this.watch();
  }

  #ask(): void {
    this.#doubted.ping(Math.floor(performance.now()));
  }
}
