/**
 * Many streams of one session: the stream table, opening and refusing, and going away.
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
import { Departure } from './departure.ts';
import { encodeFrame, frameType, unknownFrames } from './frame.ts';
import type { Lane, LaneOptions } from './lane.ts';
import { LaneClose } from './lane-close.ts';
import { Lanes } from './lanes.ts';
import { Placement } from './placement.ts';
import type { Frame, LaneOwner, SessionLane } from './session-lane.ts';
import { MuxStream } from './stream.ts';
import { maxSessionGrowthBytes } from './window.ts';

export interface Goaway extends WireRefusal {
  readonly lastStreamId: number;
  readonly graceMs: number;
}

/** The events of a session, for its driver and its owner. */
export interface SessionEvents {
  /** The lane has something to write, or a stream's turn: call its `flush` soon. Called often; must be cheap. */
  wake(lane: SessionLane): void;
  /** The peer opened a stream; set `stream.events` before returning. */
  opened(stream: MuxStream, payload: Uint8Array): void;
  /** An OPEN of the peer was refused here: too many streams are open, or the session goes away. */
  refused?(): void;
  goaway(goaway: Goaway): void;
  /** The peer has read our GOAWAY: `acceptsForMs` is shorter now. */
  goawayRead?(): void;
  /** The peer's last frame on this lane: it ends the session, or when resumable only the carrier. */
  closed(close: Close, lane: SessionLane): void;
  /** The peer closed a further lane, or has answered ours: its carrier is of no use any more. */
  laneClosed?(lane: SessionLane): void;
  /** More lanes would serve than there are. Called often; must be cheap. */
  crowded?(): void;
}

export interface SessionOptions extends LaneOptions {
  readonly role: 'client' | 'server';
  /** The credit that the peer starts with on each stream, and the credit that we start with; bytes. */
  readonly receiveWindow: number;
  readonly sendWindow: number;
  /** The most streams that the peer may have open at once. */
  readonly maxStreams: number;
  /** How many lanes both ends agreed on, with lane 0; default 1. */
  readonly lanes?: number;
}

/** From this id on a client needs a new session: an id is never reused. */
const lastId = 0xffff_fff1;

export class MuxSession implements LaneOwner {
  readonly lanes: Lanes;
  growthBytes = maxSessionGrowthBytes;
  readonly #options: SessionOptions;
  readonly #events: SessionEvents;
  readonly #streams = new Map<number, MuxStream>();
  #nextId: number;
  #lastTheirs = 0;
  /** Since GOAWAY. */
  #departure: Departure | undefined;
  readonly #unknown: Allowance;
  #over = false;
  /** Absent where only one lane was agreed on. */
  readonly #placement: Placement | undefined;
  readonly #laneClose: LaneClose | undefined;

  constructor(options: SessionOptions, events: SessionEvents) {
    this.#options = options;
    this.#events = events;
    this.#unknown = new Allowance(unknownFrames, options.now());
    this.#nextId = options.role === 'client' ? 1 : 2;
    this.lanes = new Lanes(this, options);
    if ((options.lanes ?? 1) < 2 || !options.resumable) return;
    const streams = (): Iterable<MuxStream> => this.#streams.values();
    this.#placement = new Placement(this.lanes, streams, options.now);
    this.#laneClose = new LaneClose({
      lanes: this.lanes,
      placement: this.#placement,
      streams,
      closed: (lane) => events.laneClosed?.(lane),
    });
  }

  /** Lane 0: the one that every session has. */
  get first(): SessionLane {
    return this.lanes.first;
  }
  /** There are further lanes now. */
  get several(): boolean {
    return this.lanes.several;
  }
  /** How many lanes would serve now, at most as many as were agreed on. */
  get lanesWanted(): number {
    return Math.min(this.#options.lanes ?? 1, this.#placement?.wanted ?? 1);
  }

  get streamCount(): number {
    return this.#streams.size;
  }
  get over(): boolean {
    return this.#over;
  }
  get lane(): Lane {
    return this.first.lane;
  }
  /** The bytes that the peer has not acknowledged. */
  get unacked(): number {
    return this.lanes.unacked;
  }
  /** An answer of the peer is overdue, on every lane that has a carrier. */
  get doubted(): boolean {
    return this.lanes.asked.every(({ doubted }) => doubted);
  }
  /** The peer has not answered a PING either, or there is no carrier to ask it on. */
  get silent(): boolean {
    return this.lanes.asked.every(({ silent }) => silent);
  }

  /** Opens a stream (OPEN); DATA may follow at once. The session must not be over. */
  open(payload: Uint8Array): MuxStream {
    const lane = this.#placement?.laneFor(this.first) ?? this.first;
    const stream = this.#stream(this.#nextId, lane, true);
    this.#nextId += 2;
    lane.append(frameType.open, stream.id, payload);
    lane.asked();
    if (this.#nextId === lastId)
      this.#events.goaway({
        lastStreamId: lastId,
        code: wireCode.noError,
        graceMs: 0,
        reason: 'the stream ids of this session are used up',
      });
    return stream;
  }

  /** How long the peer may still open streams after our GOAWAY, ms; 0 when they are refused. */
  get acceptsForMs(): number {
    return this.#departure?.acceptsForMs(this.#options.now()) ?? Infinity;
  }

  /** Says that new streams are refused, and refuses them when the peer can know; open ones continue. */
  goaway(refusal: WireRefusal, graceMs: number): void {
    const head = new Uint8Array(10);
    putU32(head, 0, this.#lastTheirs);
    putU16(head, 4, refusal.code);
    putU32(head, 6, graceMs);
    this.first.append(frameType.goaway, 0, concat([head, utf8AtMost(refusal.reason, maxReasonBytes)]));
    const { resumable, now } = this.#options;
    this.#departure = new Departure(refusal, { offset: resumable ? this.first.head : undefined, nowMs: now() });
  }

  /** A further lane, with this number, from its beginning. */
  addLane(number: number): SessionLane {
    this.#placement?.changed();
    return this.lanes.add(number);
  }

  /** Closes a further lane, or one that has lost its carrier. What it carried goes on on lane 0. */
  closeLane(lane: SessionLane): void {
    this.#laneClose?.close(lane);
  }

  /** The last frame on a carrier, for the driver to write. */
  closeFrame(close: Close): Uint8Array {
    return encodeFrame(frameType.close, 0, encodeClose(close));
  }

  /** Ends the session on this side: resets every stream with the reason, and drops the lane. */
  end(refusal: WireRefusal): void {
    if (this.#over) return;
    this.#over = true;
    const streams = [...this.#streams.values()];
    this.#streams.clear();
    for (const { lane } of this.lanes.all) lane.close();
    for (const stream of streams) stream.onReset(refusal);
  }

  #stream(id: number, lane: SessionLane, ours: boolean): MuxStream {
    const stream = new MuxStream(id, lane, {
      sendCredit: this.#options.sendWindow,
      receiveWindow: this.#options.receiveWindow,
      ours,
    });
    this.#streams.set(id, stream);
    return stream;
  }

  // For the lanes.

  wake(lane: SessionLane): void {
    this.#events.wake(lane);
  }

  data(id: number, bytes: Uint8Array): void {
    const stream = this.#streams.get(id);
    if (stream) stream.onData(bytes);
    else this.#checkKnown(id);
  }

  forget(stream: MuxStream): void {
    this.#streams.delete(stream.id);
    this.#placement?.forget(stream);
  }

  hasShare(lane: SessionLane): boolean {
    return this.lanes.hasShare(lane);
  }

  progressed(lane: SessionLane): void {
    if (lane.number === 0 && this.#departure?.acked(lane.lane.log.acked, this.#options.now()))
      this.#events.goawayRead?.();
    if (this.several) for (const one of this.lanes.all) if (one !== lane) one.pump();
  }

  flushing(): void {
    if (this.#placement?.due) this.#placement.arrange();
  }

  moved(stream: MuxStream, bytes: number, way: 'sent' | 'received'): void {
    const placement = this.#placement;
    if (placement === undefined || (way === 'received' && this.#options.role === 'server')) return;
    placement.moved(stream, bytes, way);
    if (placement.due) this.#events.crowded?.();
  }

  checkControl(): void {
    this.lanes.checkControl();
  }

  control(lane: SessionLane, { type, id, payload }: Frame): void {
    if (type === frameType.close) this.#close(lane, payload);
    else if (type === frameType.goaway) this.#goaway(payload);
    else if (type === frameType.open) this.#opened(lane, id, payload);
    else if (this.#laneClose && type === frameType.laneClose) this.#laneClose.received(payload);
    else if (type < 0x80) this.#onStream(lane, { type, id, payload });
    else if (type >= frameType.hello)
      throw new ProtocolFault(wireCode.protocolError, `a handshake frame (type ${type}) inside the session`);
    else this.#skip(type, payload);
  }

  /** An unsequenced frame of a newer peer, which does not rely on it. */
  #skip(type: number, payload: Uint8Array): void {
    if (!this.#unknown.spend(unknownFrames.overheadBytes + payload.length, this.#options.now()))
      throw new ProtocolFault(wireCode.excessive, `too many frames of an unknown type (the last of type ${type})`);
  }

  #close(lane: SessionLane, payload: Uint8Array): void {
    const close = decodeClose(payload);
    lane.closed = !close.resumable;
    this.#events.closed(close, lane);
  }

  #onStream(lane: SessionLane, { type, id, payload }: Frame): void {
    const stream = this.#streams.get(id);
    const { unanswered } = lane;
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
    if (lane.unanswered < unanswered) lane.answered();
  }

  #opened(lane: SessionLane, id: number, payload: Uint8Array): void {
    const parity = this.#options.role === 'server' ? 1 : 0;
    if (id % 2 !== parity || (this.#placement ? this.#streams.has(id) : id <= this.#lastTheirs))
      throw new ProtocolFault(wireCode.protocolError, `OPEN on stream ${id}`);
    this.#lastTheirs = Math.max(this.#lastTheirs, id);
    const refusal =
      this.#departure?.refusal(this.#options.now()) ??
      (this.#streams.size >= this.#options.maxStreams ? tooMany : undefined);
    if (refusal) {
      lane.append(frameType.openErr, id, encodeRefusal(refusal));
      this.#events.refused?.();
    } else this.#events.opened(this.#stream(id, this.#placement?.laneFor(lane) ?? lane, false), payload);
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
