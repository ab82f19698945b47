/**
 * One direction of a connection through a bad network: bytes go in when they come, and out when they are due.
 * Rule: in order, each once; while the way is stalled nothing goes out, and soon nothing is taken in either.
 */
import type { Socket } from 'node:net';

/** What a pump asks of the network, and reports to it. */
export interface Road {
  readonly splitBytes: number;
  readonly delayMs: number;
  readonly bytesPerSecond: number;
  stalled: boolean;
  /** How many of these bytes may pass now. */
  may(bytes: number): number;
  passed(bytes: number): void;
}

interface Held {
  readonly bytes: Buffer;
  readonly dueAtMs: number;
}

const holdBytes = 1 << 20;

export class Pump {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #road: Road;
  readonly #held: Held[] = [];
  #heldBytes = 0;
  #freeAtMs = 0;
  #full = false;
  #ended = false;
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(from: Socket, to: Socket, road: Road) {
    this.#from = from;
    this.#to = to;
    this.#road = road;
    from.on('data', (chunk: Buffer) => {
      this.#take(chunk);
    });
    from.on('end', () => {
      this.#ended = true;
      this.step();
    });
    to.on('drain', () => {
      this.#full = false;
      this.step();
    });
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** Forwards what is due. */
  step(): void {
    clearTimeout(this.#timer);
    while (!this.#stopped && !this.#full && !this.#road.stalled && this.#held.length > 0) {
      const waitMs = this.#held[0]!.dueAtMs - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => {
          this.step();
        }, waitMs);
        return;
      }
      this.#pass(this.#held.shift()!.bytes);
    }
    if (this.#stopped || this.#road.stalled) return;
    if (this.#held.length === 0 && this.#ended) this.#to.end();
    else if (this.#heldBytes < holdBytes && !this.#full) this.#from.resume();
  }

  #take(chunk: Buffer): void {
    const { splitBytes, delayMs, bytesPerSecond } = this.#road;
    for (let at = 0; at < chunk.length; at += splitBytes) {
      const bytes = chunk.subarray(at, Math.min(chunk.length, at + splitBytes));
      this.#freeAtMs = Math.max(performance.now(), this.#freeAtMs) + (bytes.length / bytesPerSecond) * 1000;
      this.#held.push({ bytes, dueAtMs: bytesPerSecond === Infinity && delayMs === 0 ? 0 : this.#freeAtMs + delayMs });
    }
    this.#heldBytes += chunk.length;
    if (this.#heldBytes >= holdBytes) this.#from.pause();
    this.step();
  }

  #pass(bytes: Buffer): void {
    const passing = bytes.subarray(0, this.#road.may(bytes.length));
    this.#heldBytes -= bytes.length;
    this.#full = !this.#to.write(passing);
    if (this.#full) this.#from.pause();
    this.#road.passed(passing.length);
  }
}
