/**
 * One lane as a session has it: its frames go to the session, and streams send on it. Turns, doubt and unanswered OPENs
 * are the lane's own.
 * Rule: everything that a stream sends goes on one lane at a time, in the order in which it is appended.
 * Not here: the stream table (session.ts), the bytes themselves (lane.ts).
 * Spec: docs/protocol.md sections 3.4 to 3.6, 3.10.
 */
import type { ParseBudget } from './decoder.ts';
import { frameType } from './frame.ts';
import { Lane, type LaneOptions, type Position, type Write } from './lane.ts';
import type { Lease } from './replay.ts';
import { TurnQueue } from './schedule.ts';
import { patience, Silence } from './silence.ts';
import type { MuxStream, StreamHost } from './stream.ts';

/** A whole frame. */
export interface Frame {
  readonly type: number;
  readonly id: number;
  readonly payload: Uint8Array;
}

/** What a lane needs of its session. */
export interface LaneOwner {
  readonly over: boolean;
  /** By how much the windows of all streams may still grow; bytes. */
  growthBytes: number;
  /** Lane 0. */
  readonly first: SessionLane;
  /** There are further lanes now. */
  readonly several: boolean;
  wake(lane: SessionLane): void;
  /** Whether the limit of the session lets this lane keep more. Asked only where there are several. */
  hasShare(lane: SessionLane): boolean;
  /** The peer has acknowledged more. */
  progressed(lane: SessionLane): void;
  /** Throws ProtocolFault where lanes together are owed too much. Asked only where there are several. */
  checkControl(): void;
  /** Before anything is written. */
  flushing(): void;
  moved(stream: MuxStream, bytes: number, way: 'sent' | 'received'): void;
  data(id: number, bytes: Uint8Array): void;
  /** A frame that is neither DATA nor of the lane itself. */
  control(lane: SessionLane, frame: Frame): void;
  forget(stream: MuxStream): void;
}

const turnsPerPump = 4;

export class SessionLane implements StreamHost {
  readonly number: number;
  readonly lane: Lane;
  /** Whether the peer answers. */
  readonly silence = new Silence();
  unanswered = 0;
  streams = 0;
  /** LANE_CLOSE was sent: no stream is to send on it. */
  closing = false;
  /** CLOSE came on it. */
  closed = false;
  readonly #owner: LaneOwner;
  readonly #options: LaneOptions;
  readonly #turns = new TurnQueue<MuxStream>();
  /** Streams that leave it, when what they sent here is acknowledged. */
  readonly #movers = new Set<MuxStream>();

  constructor(number: number, owner: LaneOwner, options: LaneOptions) {
    this.number = number;
    this.#owner = owner;
    this.#options = options;
    this.lane = new Lane(
      {
        data: (id, bytes) => owner.data(id, bytes),
        control: (type, id, payload) => this.#control(type, id, payload),
      },
      options,
    );
  }

  get attached(): boolean {
    return this.lane.attached;
  }
  /** Streams may go there. */
  get takes(): boolean {
    return this.attached && !this.closing;
  }
  get head(): number {
    return this.lane.log.head;
  }
  get nowMs(): number {
    return this.#options.now();
  }
  /** The smoothed round trip, ms: that of lane 0 before there is a sample, 0 before that has one. */
  get srttMs(): number {
    return this.lane.flight.srttMs || (this.number === 0 ? 0 : this.#owner.first.srttMs);
  }
  get growthBytes(): number {
    return this.#owner.growthBytes;
  }
  set growthBytes(bytes: number) {
    this.#owner.growthBytes = bytes;
  }
  /** The bytes that the peer has not acknowledged. */
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

  /**
   * Parses a chunk of the carrier as far as the budget goes, and returns how many bytes of it are done. Throws
   * ProtocolFault.
   */
  receive(chunk: Uint8Array, budget?: ParseBudget): number {
    const parsed = this.lane.receive(chunk, budget);
    if (this.#owner.several) this.#owner.checkControl();
    if (this.lane.ackIsUrgent) this.#owner.wake(this);
    return parsed;
  }

  /** Writes what there is to the carrier, and gives waiting streams their turns. */
  flush(write: Write): void {
    this.#owner.flushing();
    this.lane.flush(write);
    if (!this.silence.runs && this.#isOwed) this.silence.begin(this.nowMs);
    this.pump();
  }

  /** Lets waiting streams read as long as there is room. */
  pump(): void {
    for (let turns = turnsPerPump; turns > 0 && this.#turns.size > 0 && this.#fits(0); turns--)
      this.#turns.next()!.events.writable();
    if (this.#turns.size > 0 && this.#fits(0)) this.#owner.wake(this);
  }

  attach(theirs: Position): void {
    this.lane.attach(theirs);
    this.#passed();
    this.answered();
    this.#owner.wake(this);
  }

  /** The carrier is gone. */
  detach(): void {
    this.lane.detach();
    if (this.unanswered > 0) this.silence.begin(this.nowMs);
  }

  ping(token: number): void {
    this.lane.ping(token);
    this.silence.ask(this.nowMs);
    this.#owner.wake(this);
  }

  /** Frames of another lane were appended. */
  handedOver(): void {
    this.asked();
    this.#owner.wake(this);
  }

  /** An OPEN was appended: its acknowledgement is awaited. */
  asked(): void {
    if (this.#isOwed) this.silence.begin(this.nowMs);
  }

  /** The peer answered: its silence, if there was one, is over. */
  answered(): void {
    this.silence.restart(this.nowMs, this.#isOwed);
  }

  // For the streams.

  hasRoom(extraBytes: number): boolean {
    return this.#fits(extraBytes) && (this.#turns.size === 0 || extraBytes > 0);
  }

  append(type: number, streamId: number, payload: Uint8Array): void {
    if (this.#owner.over) return;
    this.lane.append(type, streamId, payload);
    this.#owner.wake(this);
  }

  appendBuffer(buffer: Uint8Array, length: number, lease: Lease): void {
    if (this.#owner.over) return;
    this.lane.appendBuffer(buffer, length, lease);
    this.#owner.wake(this);
  }

  appendView(streamId: number, bytes: Uint8Array): void {
    if (this.#owner.over) return;
    this.lane.appendView(streamId, bytes);
    this.#owner.wake(this);
  }

  waitForTurn(stream: MuxStream): void {
    this.#turns.wait(stream);
    if (this.#fits(0)) this.#owner.wake(this);
  }

  leaveTurn(stream: MuxStream): boolean {
    return this.#turns.leave(stream);
  }

  startMove(stream: MuxStream): void {
    if (!stream.passed(this.lane.log.acked)) this.#movers.add(stream);
  }

  sentMuch(stream: MuxStream, bytes: number): void {
    this.#owner.moved(stream, bytes, 'sent');
  }

  tookMuch(stream: MuxStream, bytes: number): void {
    this.#owner.moved(stream, bytes, 'received');
  }

  forget(stream: MuxStream): void {
    this.#turns.leave(stream);
    this.#movers.delete(stream);
    this.#owner.forget(stream);
  }

  #control(type: number, id: number, payload: Uint8Array): void {
    const { acked } = this.lane.log;
    if (!this.lane.control(type, payload)) {
      this.#owner.control(this, { type, id, payload });
      return;
    }
    if (this.lane.log.acked > acked) this.#passed();
    if (type === frameType.pong || this.lane.log.acked > acked) this.answered();
    if (type === frameType.ping) this.#owner.wake(this);
    else this.pump();
  }

  /** Whether there is room: on this lane, and within the limit of the session. */
  #fits(extraBytes: number): boolean {
    return this.lane.hasRoom(extraBytes) && (!this.#owner.several || this.#owner.hasShare(this));
  }

  /** The peer has acknowledged more. */
  #passed(): void {
    for (const stream of this.#movers) if (stream.passed(this.lane.log.acked)) this.#movers.delete(stream);
    this.#owner.progressed(this);
  }

  /** Whether the peer owes an acknowledgement; without resumption it never does. */
  get #isOwed(): boolean {
    return this.#options.resumable && this.unacked > 0;
  }
}
