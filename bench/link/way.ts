/**
 * One direction of an emulated link: what becomes of each packet, and when.
 * Rule: a packet is lost, dropped behind a full queue, or delivered late; it is never changed, doubled or reordered.
 * The clock is an argument, and what is lost is drawn from the seed, so that a run can be repeated.
 * Not here: where packets come from and go to (emulator.ts).
 */

/** A router's buffer: a packet that would wait longer than this for the rate is dropped. */
const queueMs = 100;
const compactAfter = 1024;

export interface WayOptions {
  readonly delayMs: number;
  readonly lossPercent: number;
  readonly megabitsPerSecond: number;
  readonly seed: number;
}

/** What became of the packets. */
export interface Counts {
  /** Delivered, with their bytes. */
  packets: number;
  bytes: number;
  /** By chance, or because the link was cut. */
  lost: number;
  /** Dropped because too much waited for the rate. */
  overflowed: number;
  /** The interface at the end was down. */
  unreachable: number;
}

interface Waiting {
  readonly packet: Uint8Array;
  readonly dueMs: number;
}

export class Way {
  readonly counts: Counts = { packets: 0, bytes: 0, lost: 0, overflowed: 0, unreachable: 0 };
  delayMs: number;
  lossPercent: number;
  /** Nothing gets in. */
  down = false;
  readonly #msPerByte: number;
  readonly #draw: () => number;
  #waiting: (Waiting | undefined)[] = [];
  #first = 0;
  /** When the rate lets the next packet go. */
  #freeMs = 0;
  #lastDueMs = 0;

  constructor({ delayMs, lossPercent, megabitsPerSecond, seed }: WayOptions) {
    this.delayMs = delayMs;
    this.lossPercent = lossPercent;
    this.#msPerByte = 8 / (megabitsPerSecond * 1000);
    this.#draw = draws(seed);
  }

  /** When the next packet is due; undefined while none is on its way. */
  get dueMs(): number | undefined {
    return this.#waiting[this.#first]?.dueMs;
  }

  /** A packet enters the link, which keeps it. */
  offer(packet: Uint8Array, nowMs: number): void {
    const startMs = Math.max(nowMs, this.#freeMs);
    if (this.#draw() * 100 < this.lossPercent || this.down) this.counts.lost++;
    else if (startMs - nowMs > queueMs) this.counts.overflowed++;
    else {
      this.#freeMs = startMs + packet.length * this.#msPerByte;
      this.#lastDueMs = Math.max(this.#lastDueMs, this.#freeMs + this.delayMs);
      this.#waiting.push({ packet, dueMs: this.#lastDueMs });
    }
  }

  /** The next packet that is due. The caller delivers it and counts it by `delivered`. */
  take(nowMs: number): Uint8Array | undefined {
    const next = this.#waiting[this.#first];
    if (next === undefined || next.dueMs > nowMs) return undefined;
    this.#waiting[this.#first++] = undefined;
    if (this.#first >= compactAfter) {
      this.#waiting.splice(0, this.#first);
      this.#first = 0;
    }
    return next.packet;
  }

  /** Counts a packet that was taken; `false`: the interface did not accept it. */
  delivered(bytes: number, accepted: boolean): void {
    if (accepted) {
      this.counts.packets++;
      this.counts.bytes += bytes;
    } else this.counts.unreachable++;
  }

  /** Loses everything that is on its way. */
  cut(): void {
    this.counts.lost += this.#waiting.length - this.#first;
    this.#waiting = [];
    this.#first = 0;
  }
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function draws(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
