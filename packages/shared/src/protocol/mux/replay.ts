/**
 * What one lane has sent and the peer has not acknowledged: the send queue and the replay log in one.
 * Rule: the segments cover exactly [acked, head) in order, and `acked <= sent <= head`; a read buffer is a segment as
 * it is, never copied, and goes back to its pool only when the peer has acknowledged it on the carrier that it was sent
 * on. Small frames of one tick share a segment of a slab, so that they go out in one write. Spec: docs/protocol.md
 * sections 3.4 and 5.
 */

import { u24 } from '../bytes.ts';
import { headerBytes } from './frame.ts';

/** A buffer that somebody wants back. */
export interface Lease {
  release(): void;
}

interface Segment {
  readonly bytes: Uint8Array;
  readonly start: number;
  stop: number;
  /** Lane offset just behind this segment. */
  end: number;
  lease: Lease | undefined;
  /** More frames may still be added: it is the open tail in the slab. */
  open: boolean;
  /** Does it begin with a header (or is it the payload of the one before), and does it end where a frame ends? */
  readonly headed: boolean;
  readonly boundary: boolean;
}

const slabBytes = 65_536;
const compactAfter = 64;

export class ReplayLog {
  /** Lane offsets: acknowledged by the peer, handed to a carrier, appended. */
  acked = 0;
  sent = 0;
  head = 0;
  /** True where the last segment that was taken ended a frame: an unsequenced frame may go out now. */
  atBoundary = true;
  readonly #allocate: (bytes: number) => Uint8Array;
  #segments: (Segment | undefined)[] = [];
  #first = 0;
  #next = 0;
  #slab: Uint8Array | undefined;
  #slabUsed = 0;

  constructor(allocate: (bytes: number) => Uint8Array) {
    this.#allocate = allocate;
  }

  get unsent(): number {
    return this.head - this.sent;
  }
  get unacked(): number {
    return this.head - this.acked;
  }

  /** Appends bytes [start, stop) of a buffer as they are; `boundary` says whether they end a frame. */
  append(
    bytes: Uint8Array,
    range: { readonly start: number; readonly stop: number; readonly boundary: boolean },
    lease?: Lease,
  ): void {
    const headed = this.#segments.at(-1)?.boundary ?? true;
    this.#close();
    this.head += range.stop - range.start;
    this.#segments.push({
      bytes,
      start: range.start,
      stop: range.stop,
      end: this.head,
      lease,
      open: false,
      headed,
      boundary: range.boundary,
    });
  }

  /**
   * Room for a small piece of `length` bytes at the tail: write it into `slab` at the returned place before anything
   * else is called.
   */
  reserve(length: number, boundary = true): number {
    if (this.#slab === undefined || this.#slabUsed + length > this.#slab.length) {
      this.#close();
      this.#slab = this.#allocate(Math.max(slabBytes, length));
      this.#slabUsed = 0;
    }
    const at = this.#slabUsed;
    this.#slabUsed += length;
    this.head += length;
    const tail = this.#segments.at(-1);
    if (tail?.open && boundary) {
      tail.stop += length;
      tail.end = this.head;
    } else {
      if (tail) tail.open = false;
      this.#segments.push({
        bytes: this.#slab,
        start: at,
        stop: at + length,
        end: this.head,
        lease: undefined,
        open: boundary,
        headed: true,
        boundary,
      });
    }
    return at;
  }

  /** The slab that `reserve` spoke of. */
  get slab(): Uint8Array {
    return this.#slab!;
  }

  /** The next bytes for the carrier, or undefined when all is sent. */
  take(): Uint8Array | undefined {
    const segment = this.#segments[this.#next];
    if (segment === undefined) return undefined;
    this.#next++;
    segment.open = false;
    const skip = this.sent - (segment.end - (segment.stop - segment.start));
    this.sent = segment.end;
    this.atBoundary = segment.boundary;
    return segment.bytes.subarray(segment.start + skip, segment.stop);
  }

  /**
   * Takes the buffer of the last segment taken out of the log's care: whoever writes it gives it back. For lanes that
   * do not resume.
   */
  takeLease(): Lease | undefined {
    const segment = this.#segments[this.#next - 1];
    const lease = segment?.lease;
    if (segment) segment.lease = undefined;
    return lease;
  }

  /** The peer has everything below `offset`; false if that cannot be. */
  acknowledge(offset: number): boolean {
    if (!(offset >= this.acked && offset <= this.sent)) return false;
    this.acked = offset;
    for (
      let segment = this.#segments[this.#first];
      segment !== undefined && segment.end <= offset;
      segment = this.#segments[this.#first]
    ) {
      segment.lease?.release();
      this.#segments[this.#first++] = undefined;
    }
    if (this.#first >= compactAfter && this.#first * 2 >= this.#segments.length) this.#compact();
    return true;
  }

  /** Can a resume go on from `offset` with `partial` bytes missing of the frame there? */
  covers(offset: number, partial: number): boolean {
    return offset >= this.acked && offset + partial <= this.head;
  }

  /**
   * Bytes missing at `offset`, which is kept here, of the frame that it lies in: 0 between two frames, -1 inside a
   * header, where no receiver stops.
   */
  missingAt(offset: number): number {
    const segment = this.#segments.find((one) => one !== undefined && one.end > offset);
    if (segment === undefined) return 0;
    if (!segment.headed) return segment.end - offset;
    const first = segment.end - (segment.stop - segment.start);
    if (!segment.boundary) return offset === first ? 0 : -1;
    for (let at = first; ;) {
      const behind = at + headerBytes + u24(segment.bytes, segment.start + at - first + 1);
      if (offset < behind) return offset === at ? 0 : offset < at + headerBytes ? -1 : behind - offset;
      at = behind;
    }
  }

  /**
   * A new carrier: everything from `offset` on is sent again. Buffers in the log stay out of their pool for ever:
   * the dead carrier's socket may still hold them. `partial` bytes of a frame that the peer has begun come first.
   */
  rewind(offset: number, partial = 0): void {
    for (const segment of this.#segments) if (segment) segment.lease = undefined;
    this.sent = Math.max(this.sent, offset);
    this.acknowledge(offset);
    this.#compact();
    this.sent = offset;
    this.#next = 0;
    this.atBoundary = partial === 0;
    this.#close();
  }

  /** The lane is over: nothing is kept. */
  clear(): void {
    this.#segments = [];
    this.#first = this.#next = 0;
    this.acked = this.sent = this.head;
    this.#slab = undefined;
  }

  #close(): void {
    const tail = this.#segments.at(-1);
    if (tail) tail.open = false;
  }

  #compact(): void {
    this.#segments.splice(0, this.#first);
    this.#next = Math.max(0, this.#next - this.#first);
    this.#first = 0;
  }
}
