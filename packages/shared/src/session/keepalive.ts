/**
 * Detects a dead peer: sends a PING after silence, or at once after the machine slept or its network changed, and gives
 * up in time.
 * Rule: any received byte counts as an answer. The side that never sends a PING only measures the silence. TCP's own
 * keepalive does not see unacknowledged data.
 * Spec: docs/protocol.md section 3.4.
 */
import { performance } from 'node:perf_hooks';
import { seconds } from '../observe/seconds.ts';

export interface KeepaliveOptions {
  /** The silence after which a PING is sent, ms; 0 never sends one. */
  readonly pingAfterMs: number;
  /** How long an answer may take; for the side that never sends a PING, how long the silence may last; ms. */
  readonly deadAfterMs: number;
}

export interface KeepaliveEvents {
  ping(): void;
  dead(reason: string): void;
}

const tickMs = 1_000;
/** A tick that is this late means that the machine slept. */
const driftMs = 3_000;
/** How long an answer may take when there is a reason to doubt. */
const doubtMs = 1_500;

export class Keepalive {
  readonly #options: KeepaliveOptions;
  readonly #events: KeepaliveEvents;
  #ticker: NodeJS.Timeout | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #heardAtMs = 0;
  #tickedAtMs = 0;

  constructor(options: KeepaliveOptions, events: KeepaliveEvents) {
    this.#options = options;
    this.#events = events;
  }

  /** Begins: a carrier is attached. */
  start(): void {
    this.stop();
    this.#heardAtMs = this.#tickedAtMs = performance.now();
    this.#ticker = setInterval(() => this.#tick(), tickMs).unref();
  }

  stop(): void {
    clearInterval(this.#ticker);
    clearTimeout(this.#deadline);
    this.#ticker = this.#deadline = undefined;
  }

  /** Bytes arrived. Called for every chunk. */
  heard(): void {
    this.#heardAtMs = performance.now();
    if (this.#deadline !== undefined) {
      clearTimeout(this.#deadline);
      this.#deadline = undefined;
    }
  }

  /** Sends a PING now and waits only briefly: something happened to the machine or its network. */
  doubt(): void {
    if (this.#ticker) this.#ask(doubtMs);
  }

  #ask(withinMs: number): void {
    if (this.#deadline !== undefined) return;
    this.#events.ping();
    this.#deadline = setTimeout(() => {
      this.#deadline = undefined;
      this.#events.dead(`no answer to a PING within ${seconds(withinMs)}`);
    }, withinMs).unref();
  }

  #tick(): void {
    const now = performance.now();
    const slept = now - this.#tickedAtMs > driftMs;
    this.#tickedAtMs = now;
    const silentMs = now - this.#heardAtMs;
    const { pingAfterMs, deadAfterMs } = this.#options;
    if (pingAfterMs === 0) {
      if (slept) this.#heardAtMs = now;
      else if (silentMs >= deadAfterMs) this.#events.dead(`nothing heard for ${Math.round(silentMs / 1000)} s`);
    } else if (slept) this.doubt();
    else if (silentMs >= pingAfterMs) this.#ask(deadAfterMs);
  }
}
