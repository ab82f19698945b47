/**
 * What is pushed to a readable while nobody reads it, in few pieces.
 * Rule: the readable gets the same bytes in the same order; while something waits in it, small pieces are gathered, so
 * that what waits there costs memory in proportion to its bytes (net/gatherer.ts). Whoever reads calls `taken` after
 * each piece: what was gathered follows once the readable is empty.
 * Not here: how much may wait. The source obeys the `false` of `push`.
 */
import type { Readable } from 'node:stream';
import { Gatherer, keepable, smallBytes } from './gatherer.ts';

export class GatheredPushes {
  readonly #readable: Readable;
  readonly #push: (bytes: Uint8Array) => boolean;
  readonly #gatherer: Gatherer;

  /** `push` is that of the readable. */
  constructor(readable: Readable, push: (bytes: Uint8Array) => boolean) {
    this.#readable = readable;
    this.#push = push;
    this.#gatherer = new Gatherer((bytes) => push(bytes));
  }

  /** Bytes that were gathered and are not in the readable. */
  get waiting(): number {
    return this.#gatherer.waiting;
  }

  /** As `Readable.push`: returns whether to read on. */
  push(bytes: Uint8Array): boolean {
    const readable = this.#readable;
    if (readable.readableLength === 0 && this.waiting === 0)
      return this.#push(readable.readableFlowing === true ? bytes : keptWhole(bytes));
    this.#gatherer.add(bytes);
    return readable.readableLength + this.waiting < readable.readableHighWaterMark;
  }

  /** A piece was read. */
  taken(): void {
    if (this.waiting > 0 && this.#readable.readableLength === 0) this.flush();
  }

  /** Pushes what was gathered: nothing follows, or nothing waits before it. */
  flush(): void {
    this.#gatherer.flush();
    this.#gatherer.drop();
  }
}

export interface PushEvents {
  /** Bytes arrived; they are pushed next. */
  arrived?(bytes: number): void;
  /** Something waits in the readable. */
  waits?(): void;
}

/**
 * Gathers what the source of a readable pushes into it from now on. HTTP/2 and TLS of Node push each frame and each
 * record as an object of its own: what arrives in one-byte pieces while it is paused would cost hundreds of its bytes.
 */
export function gatherPushes(readable: Readable, events: PushEvents = {}): GatheredPushes {
  const push = readable.push.bind(readable);
  const pushes = new GatheredPushes(readable, push);
  readable.push = (chunk: Uint8Array | null, encoding?: BufferEncoding): boolean => {
    if (chunk === null) {
      pushes.flush();
      return push(null, encoding);
    }
    events.arrived?.(chunk.length);
    const more = pushes.push(chunk);
    if (readable.readableLength > 0) events.waits?.();
    return more;
  };
  return pushes;
}

function keptWhole(bytes: Uint8Array): Uint8Array {
  return bytes.length < smallBytes ? Buffer.from(bytes) : keepable(bytes);
}
