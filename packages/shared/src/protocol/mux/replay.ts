/**
 * What one lane has sent and the peer has not acknowledged: the send queue and the replay log in one.
 * Rule: the segments cover exactly [acked, head) in order, and `acked <= sent <= head`. A read buffer is a segment
 * without a copy; it goes back to its pool only when the peer has acknowledged it on the carrier that it was sent on.
 * Small frames of one tick share a segment of a slab, so that they go out in one write. What was written joins the
 * segment before it in the same slab, so that a peer that acknowledges nothing makes us keep bytes, and not an object
 * for each tick.
 * Spec: docs/protocol.md sections 3.4 and 5.
 */

import { u24, u32 } from '../bytes.ts';
import { frameType, headerBytes } from './frame.ts';

/** A borrowed buffer: released when nobody uses it any more. */
export interface Lease {
  release(): void;
}

interface Segment {
  readonly bytes: Uint8Array;
  readonly start: number;
  stop: number;
  /** The lane offset just behind this segment. */
  end: number;
  lease: Lease | undefined;
  /** It is the open tail in the slab: more frames may be added. */
  open: boolean;
  /** Whether it begins with a header (and not with payload of the segment before), and whether it ends a frame. */
  readonly headed: boolean;
  readonly boundary: boolean;
  /** The stream, of payload whose header is in the segment before. */
  readonly of: number | undefined;
}

const slabBytes = 65_536;
const compactAfter = 64;

export class ReplayLog {
  /** Lane offsets: acknowledged by the peer, written to a carrier, appended. */
  acked = 0;
  sent = 0;
  head = 0;
  /** The last segment taken ended a frame, so that an unsequenced frame may be written now. */
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

  /**
   * Appends the bytes [start, stop) of a buffer without a copy; `boundary` says whether they end a frame, `of` whose
   * payload they are where the header went before.
   */
  append(
    bytes: Uint8Array,
    range: { readonly start: number; readonly stop: number; readonly boundary: boolean; readonly of?: number },
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
      of: range.of,
      headed,
      boundary: range.boundary,
    });
  }

  /**
   * Reserves `length` bytes at the tail and returns their place. Write them into `slab` there before any other call.
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
        of: undefined,
        headed: true,
        boundary,
      });
    }
    return at;
  }

  /** The slab of the last `reserve`. */
  get slab(): Uint8Array {
    return this.#slab!;
  }

  /** Pieces that are kept; each is an object. */
  get segments(): number {
    return this.#segments.length - this.#first;
  }

  /** The next bytes for the carrier; undefined when everything is sent. */
  take(): Uint8Array | undefined {
    const segment = this.#segments[this.#next];
    if (segment === undefined) return undefined;
    this.#next++;
    segment.open = false;
    const skip = this.sent - (segment.end - (segment.stop - segment.start));
    this.sent = segment.end;
    this.atBoundary = segment.boundary;
    const bytes = segment.bytes.subarray(segment.start + skip, segment.stop);
    this.#join(segment);
    return bytes;
  }

  /** Joins the last segment, which was just taken, to the one before it if they are whole frames in one slab. */
  #join(segment: Segment): void {
    const last = this.#next - 1;
    const before = this.#segments[last - 1];
    if (before === undefined || last !== this.#segments.length - 1) return;
    if (before.bytes !== segment.bytes || before.stop !== segment.start || before.lease || segment.lease) return;
    if (!before.boundary || !before.headed || !segment.boundary || !segment.headed) return;
    before.stop = segment.stop;
    before.end = segment.end;
    this.#segments.pop();
    this.#next--;
  }

  /**
   * Passes the lease of the last segment taken to the caller, who releases it after writing. For lanes that do not
   * resume.
   */
  takeLease(): Lease | undefined {
    const segment = this.#segments[this.#next - 1];
    const lease = segment?.lease;
    if (segment) segment.lease = undefined;
    return lease;
  }

  /** The peer has everything below `offset`; returns false if that is impossible. */
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

  /** Whether a resume can continue from `offset` with `partial` bytes missing of the frame there. */
  covers(offset: number, partial: number): boolean {
    return offset >= this.acked && offset + partial <= this.head;
  }

  /**
   * How many bytes are missing, at the kept `offset`, of the frame that it lies in: 0 between two frames, -1 inside a
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
   * Passes every frame of which something lies behind the kept `offset`, in order: a control frame whole, of DATA the
   * rest.
   */
  rest(offset: number, each: (type: number, streamId: number, payload: Uint8Array) => void): void {
    for (const segment of this.#segments) {
      if (segment === undefined || segment.end <= offset) continue;
      const { bytes, start, stop, end, boundary, of } = segment;
      const from = end - (stop - start);
      if (of !== undefined) each(frameType.data, of, bytes.subarray(start + Math.max(0, offset - from), stop));
      else if (boundary) eachFrame(bytes.subarray(start, stop), offset - from, each);
    }
  }

  /**
   * There is a new carrier: everything from `offset` on is sent again, first the `partial` missing bytes of a frame
   * that the peer has begun. Buffers in the log never return to their pool, because the socket of the dead carrier may
   * still hold them.
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

  /** The lane is over: drops everything. */
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

/** The whole frames in `bytes` that end behind `skip`. */
function eachFrame(bytes: Uint8Array, skip: number, each: Parameters<ReplayLog['rest']>[1]): void {
  for (let at = 0; at < bytes.length;) {
    const type = bytes[at]!;
    const behind = at + headerBytes + u24(bytes, at + 1);
    const payload = at + headerBytes;
    if (behind > skip)
      each(
        type,
        u32(bytes, at + 4),
        bytes.subarray(type === frameType.data ? Math.max(payload, skip) : payload, behind),
      );
    at = behind;
  }
}
