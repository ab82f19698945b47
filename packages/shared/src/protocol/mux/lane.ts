/**
 * An ordered, reliable channel of frames over successive carriers: bytes sent are kept until they are acknowledged,
 * bytes received are counted.
 * Rule: `head` and `offset` are the only truth about the lane; a carrier may come and go at any byte. Unsequenced
 * frames (ACK, PING, PONG) are made at the moment of writing, and only between frames.
 * Not here: streams (session.ts), timers and sockets (the driver).
 * Spec: docs/protocol.md sections 3.4 and 3.6.
 */
import { copyOf, putU32, putU64, u32, u64 } from '../bytes.ts';
import { ProtocolFault, wireCode } from '../refusal.ts';
import { FrameDecoder, type FrameSink, type ParseBudget } from './decoder.ts';
import { Flight } from './flight.ts';
import { encodeFrame, frameType, headerBytes, putHeader } from './frame.ts';
import { ReplayLog, type Lease } from './replay.ts';

export interface LaneOptions {
  /** The most unacknowledged DATA that is kept; bytes. */
  readonly replayLimitBytes: number;
  /** A monotonic clock in milliseconds. */
  readonly now: () => number;
  readonly allocate: (bytes: number) => Uint8Array;
  /**
   * Both ends agreed to resume: sent bytes are kept until acknowledged. Otherwise nothing is kept, and nothing
   * acknowledged.
   */
  readonly resumable: boolean;
}

/** Writes bytes to the carrier; returns false when it is full. `done` is released when the bytes are written. */
export type Write = (bytes: Uint8Array, done?: Lease) => boolean;

/** Where to resume: the bytes received, and the bytes missing of the frame there. */
export interface Position {
  readonly offset: number;
  readonly partial: number;
}

const ackEveryBytes = 131_072;
/** A frame has up to 64 KiB. */
const leastAheadBytes = 65_536;
const mostAheadBytes = 262_144;
/**
 * A peer whose unacknowledged control frames exceed the limit of DATA this many times counts as one that never
 * acknowledges.
 */
export const controlLimitFactor = 4;
/** Smaller pieces are copied when they change lanes: a view of each would be an object of its own. */
const copyBelowBytes = 4_096;
/** Without ACKs a PING measures the round trip, at most this often, and only while something is sent. */
const measureEveryMs = 100;

export class Lane {
  readonly log: ReplayLog;
  readonly flight: Flight;
  readonly #decoder: FrameDecoder;
  readonly #options: LaneOptions;
  #attached = false;
  #busy = false;
  #ackedOut = 0;
  #arrivedAtMs = 0;
  #ping: number | undefined;
  /** When the measuring PING was written; absent while none is in flight. */
  #measuringSinceMs: number | undefined;
  #measuredAtMs = -Infinity;
  #pong: Uint8Array | undefined;
  /**
   * Bytes of control frames: in all, up to the mark, and up to the last mark that was acknowledged. The mark is a lane
   * offset.
   */
  #control = 0;
  #controlAtMark = 0;
  #controlAcked = 0;
  #mark = 0;

  constructor(sink: FrameSink, options: LaneOptions) {
    this.#options = options;
    this.#decoder = new FrameDecoder(sink);
    this.log = new ReplayLog(options.allocate);
    this.flight = new Flight(options.replayLimitBytes);
  }

  get attached(): boolean {
    return this.#attached;
  }
  get position(): Position {
    return { offset: this.#decoder.offset, partial: this.#decoder.partial };
  }
  /** Bytes have arrived that no ACK has reported. */
  get owesAck(): boolean {
    return this.#options.resumable && this.#decoder.offset !== this.#ackedOut;
  }
  /** An ACK is due now, not only when the timer fires. */
  get ackIsUrgent(): boolean {
    return this.#options.resumable && this.#decoder.offset - this.#ackedOut >= ackEveryBytes;
  }

  /**
   * Whether a stream may append another read of DATA. `extra` is how far beyond the cap a stream that sends little may
   * go.
   */
  hasRoom(extra = 0): boolean {
    return (
      this.#attached &&
      !this.#busy &&
      this.log.unsent < this.aheadBytes &&
      (!this.#options.resumable ||
        this.log.unacked < Math.min(this.flight.capBytes + extra, this.#options.replayLimitBytes))
    );
  }

  /** How much may wait to be written, here and in the carrier; bytes. */
  get aheadBytes(): number {
    return Math.min(mostAheadBytes, Math.max(leastAheadBytes, this.flight.unsentBytes ?? mostAheadBytes));
  }

  /** Bytes of control frames that the peer has not acknowledged. */
  get controlOwed(): number {
    return this.#control - this.#controlAcked;
  }

  /** Whether the carrier is full. */
  set busy(value: boolean) {
    this.#busy = value;
  }

  /**
   * Whether a resume at the peer's position leaves no gap and continues at a place where a receiver can stop. Checked
   * before anything is answered.
   */
  covers({ offset, partial }: Position): boolean {
    return this.log.covers(offset, partial) && this.log.missingAt(offset) === partial;
  }

  attach(theirs: Position): void {
    if (!this.covers(theirs))
      throw new ProtocolFault(wireCode.protocolError, 'a resume from an offset that is not covered');
    this.log.rewind(theirs.offset, theirs.partial);
    this.flight.restart(theirs.offset);
    this.#decoder.start();
    this.#attached = true;
    this.#busy = false;
    this.#ackedOut = this.#decoder.offset;
  }

  detach(): void {
    this.#attached = false;
    this.#ping = this.#pong = this.#measuringSinceMs = undefined;
    this.#decoder.detach();
  }

  /** The session is over. */
  close(): void {
    this.#attached = false;
    this.#decoder.stop();
    this.log.clear();
  }

  /**
   * Parses a chunk, as the decoder does. Throws ProtocolFault, also for a peer that makes us answer and never
   * acknowledges. That is checked here and not where frames are appended, because sources and dials append in callbacks
   * of their own, which do not expect a fault of the peer.
   */
  receive(chunk: Uint8Array, budget?: ParseBudget): number {
    this.#arrivedAtMs = this.#options.now();
    const parsed = this.#decoder.receive(chunk, budget);
    if (this.controlOwed > this.#options.replayLimitBytes * controlLimitFactor)
      throw new ProtocolFault(wireCode.excessive, 'the peer makes us answer and acknowledges nothing');
    return parsed;
  }

  /** Handles a frame of the lane itself; returns whether it was one. */
  control(type: number, payload: Uint8Array): boolean {
    if (type === frameType.ack) this.#acknowledged(payload);
    else if (type === frameType.ping) this.#pong = copyOf(eightBytes(payload, 'PING'));
    else if (type === frameType.pong) this.#measured();
    else return false;
    return true;
  }

  /** Appends one small sequenced frame. */
  append(type: number, streamId: number, payload: Uint8Array): void {
    const at = this.log.reserve(headerBytes + payload.length);
    if (type !== frameType.data) this.#control += headerBytes + payload.length;
    putHeader(this.log.slab, at, { type, length: payload.length, streamId });
    this.log.slab.set(payload, at + headerBytes);
  }

  /** Appends a read buffer as a DATA frame: `length` payload bytes behind room for the header; no copy. */
  appendBuffer(buffer: Uint8Array, length: number, lease: Lease): void {
    this.log.append(buffer, { start: 0, stop: headerBytes + length, boundary: true }, lease);
  }

  /** Appends a DATA frame whose payload is a view of a foreign buffer: its header goes before it, no copy. */
  appendView(streamId: number, bytes: Uint8Array): void {
    const at = this.log.reserve(headerBytes, false);
    putHeader(this.log.slab, at, { type: frameType.data, length: bytes.length, streamId });
    this.log.append(bytes, { start: 0, stop: bytes.length, boundary: true, of: streamId });
  }

  /** The lane is over: what the peer has not parsed by `theirs` goes on another lane, in the same order. */
  handOver(theirs: Position, to: Lane): void {
    this.log.rest(theirs.offset, (type, id, payload) => {
      if (type === frameType.data && payload.length >= copyBelowBytes) to.appendView(id, payload);
      else to.append(type, id, payload);
    });
    this.close();
  }

  ping(token: number): void {
    this.#ping = token;
  }

  /**
   * Writes what there is to the carrier until `write` returns false (the carrier is full). A full carrier gets nothing,
   * not even an answer to PING, so that a peer that asks and never reads cannot fill our memory.
   */
  flush(write: Write): void {
    if (this.#busy || !this.#attached) return;
    const { resumable } = this.#options;
    if (!resumable && this.log.unsent > 0) this.#measure();
    let more = true;
    for (;;) {
      if (this.log.atBoundary) more = this.#unsequenced(write) && more;
      if (!more && this.log.atBoundary) break;
      const bytes = this.log.take();
      if (bytes === undefined) break;
      if (resumable) more = write(bytes);
      else {
        more = write(bytes, this.log.takeLease());
        this.log.acknowledge(this.log.sent);
      }
    }
    if (!resumable) this.#passMark();
    if (this.log.unacked > 0) this.flight.sent(this.log.sent, this.log.acked, this.#options.now());
  }

  /** Control frames count as acknowledged up to a mark that the acks have passed. Then the mark moves on. */
  #passMark(): void {
    if (this.log.acked < this.#mark) return;
    this.#controlAcked = this.#controlAtMark;
    this.#controlAtMark = this.#control;
    this.#mark = this.log.head;
  }

  #unsequenced(write: Write): boolean {
    let more = true;
    if (this.owesAck) {
      const ack = this.#options.allocate(headerBytes + 12);
      putHeader(ack, 0, { type: frameType.ack, length: 12, streamId: 0 });
      putU64(ack, headerBytes, this.#decoder.offset);
      putU32(ack, headerBytes + 8, Math.min(0xffff_ffff, Math.round((this.#options.now() - this.#arrivedAtMs) * 1000)));
      this.#ackedOut = this.#decoder.offset;
      more = write(ack);
    }
    if (this.#pong !== undefined) {
      more = write(encodeFrame(frameType.pong, 0, this.#pong)) && more;
      this.#pong = undefined;
    }
    if (this.#ping !== undefined) {
      const token = new Uint8Array(8);
      putU64(token, 0, this.#ping);
      more = write(encodeFrame(frameType.ping, 0, token)) && more;
      this.#ping = undefined;
    }
    return more;
  }

  #measure(): void {
    const nowMs = this.#options.now();
    if (this.#measuringSinceMs !== undefined || nowMs - this.#measuredAtMs < measureEveryMs) return;
    this.#measuringSinceMs = this.#measuredAtMs = nowMs;
    this.#ping ??= Math.floor(nowMs);
  }

  #measured(): void {
    if (this.#measuringSinceMs === undefined) return;
    this.flight.measured(Math.max(0.01, this.#options.now() - this.#measuringSinceMs));
    this.#measuringSinceMs = undefined;
  }

  #acknowledged(payload: Uint8Array): void {
    if (payload.length !== 12) throw new ProtocolFault(wireCode.protocolError, `ACK of ${payload.length} bytes`);
    const offset = u64(payload, 0);
    if (offset < this.log.acked) return; // older than an ack that has arrived: harmless
    if (!this.log.acknowledge(offset))
      throw new ProtocolFault(wireCode.protocolError, 'ACK of bytes that were never sent');
    this.#passMark();
    this.flight.acknowledged(offset, u32(payload, 8) / 1000, this.#options.now());
  }
}

function eightBytes(payload: Uint8Array, what: string): Uint8Array {
  if (payload.length !== 8) throw new ProtocolFault(wireCode.protocolError, `${what} of ${payload.length} bytes`);
  return payload;
}
