/**
 * Many streams on one lane: the stream table, opening and refusing, going away, and whose turn it is.
 * Rule: a fault of the peer throws ProtocolFault out of `receive` and ends the whole session. A frame for a stream that
 * has ended is dropped; one for a stream that never existed is a fault. Stream ids: the client's are odd, strictly
 * increasing, and never reused.
 * Not here: clock, timers, sockets (the driver passes them in), identity and policy.
 * Spec: docs/protocol.md section 3.
 */
import { concat, putU16, putU32, text, u16, u32, utf8AtMost } from '../bytes.ts';
import {
  decodeClose,
  decodeRefusal,
  encodeClose,
  encodeRefusal,
  maxReasonBytes,
  ProtocolFault,
  wireCode,
  type Close,
  type WireRefusal,
} from '../refusal.ts';
import { Allowance } from './allowance.ts';
import type { ParseBudget } from './decoder.ts';
import { encodeFrame, frameType, unknownFrames } from './frame.ts';
import { Lane, type LaneOptions, type Position, type Write } from './lane.ts';
import type { Lease } from './replay.ts';
import { TurnQueue } from './schedule.ts';
import { patience, Silence } from './silence.ts';
import { MuxStream, type StreamHost } from './stream.ts';
import { maxSessionGrowthBytes } from './window.ts';

export interface Goaway extends WireRefusal {
  readonly lastStreamId: number;
  readonly graceMs: number;
}

/** The events of a session, for its driver and its owner. */
export interface SessionEvents {
  /** There is something to write, or a stream's turn: call `flush` soon. Called often; must be cheap. */
  wake(): void;
  /** The peer opened a stream; set `stream.events` before returning. */
  opened(stream: MuxStream, payload: Uint8Array): void;
  /** An OPEN of the peer was refused here: too many streams are open, or the session goes away. */
  refused?(): void;
  goaway(goaway: Goaway): void;
  /** The peer ended the session (or, when resumable, only this carrier). */
  closed(close: Close): void;
}

export interface SessionOptions extends LaneOptions {
  readonly role: 'client' | 'server';
  /** The credit that the peer starts with on each stream, and the credit that we start with; bytes. */
  readonly receiveWindow: number;
  readonly sendWindow: number;
  /** The most streams that the peer may have open at once. */
  readonly maxStreams: number;
}

const turnsPerPump = 4;
/** From this id on a client needs a new session: an id is never reused. */
const lastId = 0xffff_fff1;

export class MuxSession implements StreamHost {
  readonly lane: Lane;
  /** Whether the peer answers. */
  readonly silence = new Silence();
  growthBytes = maxSessionGrowthBytes;
  unanswered = 0;
  readonly #options: SessionOptions;
  readonly #events: SessionEvents;
  readonly #streams = new Map<number, MuxStream>();
  readonly #turns = new TurnQueue<MuxStream>();
  #nextId: number;
  #lastTheirs = 0;
  #draining: WireRefusal | undefined;
  readonly #unknown: Allowance;
  #over = false;

  constructor(options: SessionOptions, events: SessionEvents) {
    this.#options = options;
    this.#events = events;
    this.#unknown = new Allowance(unknownFrames, options.now());
    this.#nextId = options.role === 'client' ? 1 : 2;
    this.lane = new Lane(
      { data: (id, bytes) => this.#data(id, bytes), control: (type, id, payload) => this.#control(type, id, payload) },
      options,
    );
  }

  get streamCount(): number {
    return this.#streams.size;
  }
  get over(): boolean {
    return this.#over;
  }
  /** The bytes of the lane that the peer has not acknowledged. */
  get unacked(): number {
    return this.lane.log.unacked;
  }
  /** How long an answer may take before there is a doubt, ms. */
  get patienceMs(): number {
    return patience(this.srttMs);
  }
  /** An answer of the peer is overdue. */
  get doubted(): boolean {
    return this.silence.lastsMs(this.nowMs) >= this.patienceMs;
  }
  /** The peer has not answered a PING either, or there is no carrier to ask it on. */
  get silent(): boolean {
    return this.silence.lastsMs(this.nowMs) >= 2 * this.patienceMs;
  }
  get nowMs(): number {
    return this.#options.now();
  }
  get srttMs(): number {
    return this.lane.flight.srttMs;
  }

  /** Opens a stream (OPEN); DATA may follow at once. The session must not be over. */
  open(payload: Uint8Array): MuxStream {
    const stream = this.#stream(this.#nextId, true);
    this.#nextId += 2;
    this.append(frameType.open, stream.id, payload);
    if (this.#isOwed) this.silence.begin(this.nowMs);
    if (this.#nextId === lastId)
      this.#events.goaway({
        lastStreamId: lastId,
        code: wireCode.noError,
        graceMs: 0,
        reason: 'the stream ids of this session are used up',
      });
    return stream;
  }

  /**
   * Parses a chunk of the carrier as far as the budget goes, and returns how many bytes of it are done. Throws
   * ProtocolFault.
   */
  receive(chunk: Uint8Array, budget?: ParseBudget): number {
    const parsed = this.lane.receive(chunk, budget);
    if (this.lane.ackIsUrgent) this.#events.wake();
    return parsed;
  }

  /** Writes what there is to the carrier, and gives waiting streams their turns. */
  flush(write: Write): void {
    this.lane.flush(write);
    if (!this.silence.runs && this.#isOwed) this.silence.begin(this.nowMs);
    this.pump();
  }

  /** Lets waiting streams read as long as there is room. */
  pump(): void {
    for (let turns = turnsPerPump; turns > 0 && this.#turns.size > 0 && this.lane.hasRoom(); turns--)
      this.#turns.next()!.events.writable();
    if (this.#turns.size > 0 && this.lane.hasRoom()) this.#events.wake();
  }

  attach(theirs: Position): void {
    this.lane.attach(theirs);
    this.#answered();
    this.#events.wake();
  }

  /** The carrier is gone. */
  detach(): void {
    this.lane.detach();
    if (this.unanswered > 0) this.silence.begin(this.nowMs);
  }

  ping(token: number): void {
    this.lane.ping(token);
    this.silence.ask(this.nowMs);
    this.#events.wake();
  }

  /** Accepts no new streams from the peer; open ones continue. */
  goaway(refusal: WireRefusal, graceMs: number): void {
    this.#draining = refusal;
    const head = new Uint8Array(10);
    putU32(head, 0, this.#lastTheirs);
    putU16(head, 4, refusal.code);
    putU32(head, 6, graceMs);
    this.append(frameType.goaway, 0, concat([head, utf8AtMost(refusal.reason, maxReasonBytes)]));
  }

  /** The last frame on this carrier, for the driver to write. */
  closeFrame(close: Close): Uint8Array {
    return encodeFrame(frameType.close, 0, encodeClose(close));
  }

  /** Ends the session on this side: resets every stream with the reason, and drops the lane. */
  end(refusal: WireRefusal): void {
    if (this.#over) return;
    this.#over = true;
    const streams = [...this.#streams.values()];
    this.#streams.clear();
    this.lane.close();
    for (const stream of streams) stream.onReset(refusal);
  }

  // For the streams.

  hasRoom(extraBytes: number): boolean {
    return this.lane.hasRoom(extraBytes) && (this.#turns.size === 0 || extraBytes > 0);
  }

  append(type: number, streamId: number, payload: Uint8Array): void {
    if (this.#over) return;
    this.lane.append(type, streamId, payload);
    this.#events.wake();
  }

  appendBuffer(buffer: Uint8Array, length: number, lease: Lease): void {
    if (this.#over) return;
    this.lane.appendBuffer(buffer, length, lease);
    this.#events.wake();
  }

  appendView(streamId: number, bytes: Uint8Array): void {
    if (this.#over) return;
    this.lane.appendView(streamId, bytes);
    this.#events.wake();
  }

  waitForTurn(stream: MuxStream): void {
    this.#turns.wait(stream);
    if (this.lane.hasRoom()) this.#events.wake();
  }

  forget(stream: MuxStream): void {
    this.#streams.delete(stream.id);
    this.#turns.leave(stream);
  }

  #stream(id: number, ours: boolean): MuxStream {
    const stream = new MuxStream(id, this, {
      sendCredit: this.#options.sendWindow,
      receiveWindow: this.#options.receiveWindow,
      ours,
    });
    this.#streams.set(id, stream);
    return stream;
  }

  #data(id: number, bytes: Uint8Array): void {
    const stream = this.#streams.get(id);
    if (stream) stream.onData(bytes);
    else this.#checkKnown(id);
  }

  #control(type: number, id: number, payload: Uint8Array): void {
    const { acked } = this.lane.log;
    if (this.lane.control(type, payload)) {
      if (type === frameType.pong || this.lane.log.acked > acked) this.#answered();
      if (type === frameType.ping) this.#events.wake();
      else this.pump();
      return;
    }
    if (type === frameType.close) this.#events.closed(decodeClose(payload));
    else if (type === frameType.goaway) this.#goaway(payload);
    else if (type === frameType.open) this.#opened(id, payload);
    else if (type < 0x80) this.#onStream(type, id, payload);
    else if (type >= frameType.hello)
      throw new ProtocolFault(wireCode.protocolError, `a handshake frame (type ${type}) inside the session`);
    else this.#skip(type, payload);
  }

  /** An unsequenced frame of a newer peer, which does not rely on it. */
  #skip(type: number, payload: Uint8Array): void {
    if (!this.#unknown.spend(unknownFrames.overheadBytes + payload.length, this.nowMs))
      throw new ProtocolFault(wireCode.excessive, `too many frames of an unknown type (the last of type ${type})`);
  }

  #onStream(type: number, id: number, payload: Uint8Array): void {
    const stream = this.#streams.get(id);
    const { unanswered } = this;
    if (stream === undefined) this.#checkKnown(id);
    if (type === frameType.window) {
      if (payload.length !== 4) throw new ProtocolFault(wireCode.protocolError, `WINDOW of ${payload.length} bytes`);
      stream?.onWindow(u32(payload, 0));
    } else if (type === frameType.fin) {
      if (payload.length !== 0) throw new ProtocolFault(wireCode.protocolError, `FIN of ${payload.length} bytes`);
      stream?.onFin();
    } else if (type === frameType.reset) stream?.onReset(decodeRefusal(payload));
    else if (type === frameType.openOk) stream?.onOpened(payload);
    else if (type === frameType.openErr) stream?.onRefused(decodeRefusal(payload));
    else throw new ProtocolFault(wireCode.protocolError, `an unknown sequenced frame (type ${type})`);
    if (this.unanswered < unanswered) this.#answered();
  }

  /** Whether the peer owes an acknowledgement; without resumption it never does. */
  get #isOwed(): boolean {
    return this.#options.resumable && this.unacked > 0;
  }

  #answered(): void {
    this.silence.restart(this.nowMs, this.#isOwed);
  }

  #opened(id: number, payload: Uint8Array): void {
    const parity = this.#options.role === 'server' ? 1 : 0;
    if (id % 2 !== parity || id <= this.#lastTheirs)
      throw new ProtocolFault(wireCode.protocolError, `OPEN on stream ${id}`);
    this.#lastTheirs = id;
    const refusal = this.#draining ?? (this.#streams.size >= this.#options.maxStreams ? tooMany : undefined);
    if (refusal) {
      this.append(frameType.openErr, id, encodeRefusal(refusal));
      this.#events.refused?.();
    } else this.#events.opened(this.#stream(id, false), payload);
  }

  #goaway(payload: Uint8Array): void {
    if (payload.length < 10) throw new ProtocolFault(wireCode.protocolError, `GOAWAY of ${payload.length} bytes`);
    this.#events.goaway({
      lastStreamId: u32(payload, 0),
      code: u16(payload, 4),
      graceMs: u32(payload, 6),
      reason: text(payload.subarray(10)),
    });
  }

  #checkKnown(id: number): void {
    const theirs = id % 2 === (this.#options.role === 'server' ? 1 : 0);
    if (id === 0 || (theirs ? id > this.#lastTheirs : id >= this.#nextId))
      throw new ProtocolFault(wireCode.protocolError, `a frame on stream ${id}, which was never opened`);
  }
}

const tooMany: WireRefusal = { code: wireCode.limitStreams, reason: 'too many streams are open in this session' };
