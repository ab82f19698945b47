/**
 * Drives one mux session: a driver for each of its lanes, and what concerns all of them.
 * Rule: losing the carrier of lane 0 detaches the session, which waits for the next one; losing that of a further lane
 * closes that lane. A fault of the peer on any lane ends the session. CLOSE ends it when it has come on every lane.
 * Not here: reading and writing (lane-driver.ts), dialling and accepting carriers.
 */
import { performance } from 'node:perf_hooks';
import type { Carrier } from '../carrier/contract.ts';
import type { Position } from '../protocol/mux/lane.ts';
import { type Goaway, MuxSession, type SessionOptions } from '../protocol/mux/session.ts';
import type { SessionLane } from '../protocol/mux/session-lane.ts';
import type { MuxStream } from '../protocol/mux/stream.ts';
import { type Close, ProtocolFault, wireCode, type WireRefusal } from '../protocol/refusal.ts';
import { LaneDriver, type LaneDriverOptions } from './lane-driver.ts';

export interface DriverEvents {
  /** The peer opened a stream. */
  opened(stream: MuxStream, payload: Uint8Array): void;
  /** The session refused an OPEN of the peer by itself. */
  refused?(): void;
  goaway(goaway: Goaway): void;
  /** The peer owes an answer for too long, and is asked by PING: see Doubt. */
  doubted?(): void;
  /** It answers again. */
  answers?(): void;
  /** The carrier of lane 0 is gone. The session waits, detached. */
  lost(reason: string): void;
  /** A further lane is closed, with its carrier, because that was lost or by the peer. Not called after `closeLane`. */
  laneLost?(lane: number, reason: string): void;
  /** More lanes would serve than there are, maybe. Called often; must be cheap. */
  crowded?(): void;
  /** The session is over: the peer closed it, or one side broke the protocol. Not called after `end`. */
  ended(refusal: WireRefusal): void;
}

export interface DriverOptions extends Omit<SessionOptions, 'now' | 'allocate'>, LaneDriverOptions {}

/** How long the session waits for CLOSE on its other lanes, ms. */
const closeWithinMs = 1_000;

export class SessionDriver {
  readonly session: MuxSession;
  readonly #options: DriverOptions;
  readonly #events: DriverEvents;
  readonly #first: LaneDriver;
  /** Of the further lanes that have a carrier. */
  readonly #further = new Map<SessionLane, LaneDriver>();
  /** What CLOSE said, while it is missing on other lanes. */
  #closing: Close | undefined;
  #departing: NodeJS.Timeout | undefined;
  #departed: (() => void) | undefined;

  constructor(options: DriverOptions, events: DriverEvents) {
    this.#options = options;
    this.#events = events;
    this.session = new MuxSession(
      { ...options, now: () => performance.now(), allocate: (bytes) => Buffer.allocUnsafeSlow(bytes) },
      {
        wake: (lane) => this.#of(lane)?.wake(),
        opened: (stream, payload) => events.opened(stream, payload),
        refused: () => events.refused?.(),
        goaway: (goaway) => events.goaway(goaway),
        goawayRead: () => this.#depart(),
        closed: (close, lane) => this.#closed(close, lane),
        laneClosed: (lane) => this.#laneLost(lane, 'the peer closed it'),
        crowded: () => events.crowded?.(),
      },
    );
    this.#first = this.#drive(this.session.first);
  }

  /** The peer owes an answer for too long, wherever it was asked: no new stream is opened before it answers. */
  get doubted(): boolean {
    if (this.#further.size === 0) return this.#first.doubted;
    const attached = this.#drivers().filter((driver) => driver.attached);
    return attached.length > 0 && attached.every(({ doubted }) => doubted);
  }
  get attached(): boolean {
    return this.#first.attached;
  }
  get carrier(): Carrier | undefined {
    return this.#first.carrier;
  }

  /** Attaches a carrier after its handshake: we send from `theirs`, and `rest` is what the peer has already sent. */
  attach(carrier: Carrier, theirs: Position, rest: Uint8Array): void {
    this.#first.attach(carrier, theirs, rest);
  }

  /** A further lane on its carrier, after its handshake; `rest` is what the peer has already sent on it. */
  addLane(number: number, carrier: Carrier, rest: Uint8Array): void {
    const lane = this.session.addLane(number);
    const driver = this.#drive(lane);
    this.#further.set(lane, driver);
    driver.attach(carrier, { offset: 0, partial: 0 }, rest);
  }

  /** Closes a further lane and its carrier; what it carried goes on on lane 0. */
  closeLane(number: number): void {
    const lane = this.session.lanes.of(number);
    if (lane === undefined || number === 0) return;
    this.#letGo(lane);
    this.session.closeLane(lane);
  }

  /** Destroys the carrier of lane 0. The session stays as it is. */
  detach(): void {
    this.#first.detach();
  }

  /**
   * Says GOAWAY. `departed` is called when the peer's new streams are refused: within seconds, unless the session is
   * over before.
   */
  goaway(refusal: WireRefusal, graceMs: number, departed: () => void): void {
    this.#departed = departed;
    this.session.goaway(refusal, graceMs);
    this.#depart();
  }

  /** Ends the session from our side: resets its streams, and sends CLOSE to the peer. */
  end(refusal: WireRefusal): void {
    const drivers = this.#drivers();
    for (const driver of drivers) driver.flush();
    this.session.end(refusal);
    for (const driver of drivers) driver.close(this.session.closeFrame({ ...refusal, resumable: false }));
    this.#further.clear();
  }

  /**
   * Checks now whether the peer is still there, because the machine slept or its network changed. The answer, or the
   * loss, comes within seconds.
   */
  doubt(): void {
    for (const driver of this.#drivers()) driver.doubt();
  }

  #depart(): void {
    clearTimeout(this.#departing);
    if (this.session.over) return;
    const leftMs = this.session.acceptsForMs;
    if (leftMs > 0) this.#departing = setTimeout(() => this.#depart(), Math.ceil(leftMs)).unref();
    else this.#departed?.();
  }

  #drive(lane: SessionLane): LaneDriver {
    return new LaneDriver(lane, this.#options, {
      doubted: () => {
        if (this.doubted) this.#events.doubted?.();
      },
      answers: () => {
        const others = this.#drivers().filter((driver) => driver.attached && driver !== this.#of(lane));
        if (others.every(({ doubted }) => doubted)) this.#events.answers?.();
      },
      lost: (reason) => this.#lost(lane, reason),
      failed: (error) => this.#failed(error),
    });
  }

  #drivers(): readonly LaneDriver[] {
    return [this.#first, ...this.#further.values()];
  }

  #of(lane: SessionLane): LaneDriver | undefined {
    return lane.number === 0 ? this.#first : this.#further.get(lane);
  }

  #lost(lane: SessionLane, reason: string): void {
    if (this.#closing) this.#maybeClosed();
    else if (lane.number === 0) this.#events.lost(reason);
    else {
      this.#laneLost(lane, reason);
      this.session.closeLane(lane);
    }
  }

  #laneLost(lane: SessionLane, reason: string): void {
    if (this.#letGo(lane)) this.#events.laneLost?.(lane.number, reason);
  }

  /** Whether the lane had a driver still. */
  #letGo(lane: SessionLane): boolean {
    this.#further.get(lane)?.detach();
    return this.#further.delete(lane);
  }

  #failed(error: unknown): void {
    const refusal =
      error instanceof ProtocolFault
        ? { code: error.code, reason: error.message }
        : { code: wireCode.internal, reason: 'an internal error' };
    this.end(refusal);
    this.#events.ended(refusal);
    if (!(error instanceof ProtocolFault)) throw error;
  }

  #closed(close: Close, lane: SessionLane): void {
    if (close.resumable) {
      this.#of(lane)?.detach();
      this.#lost(lane, `the peer closed the connection: ${close.reason}`);
      return;
    }
    if (!this.#closing && this.#further.size > 0) setTimeout(() => this.#finish(close), closeWithinMs).unref();
    this.#closing ??= close;
    this.#maybeClosed();
  }

  /** The session ends when CLOSE has come on every lane that has a carrier: each carries bytes before it. */
  #maybeClosed(): void {
    if (this.session.lanes.all.every((lane) => lane.closed || !lane.attached)) this.#finish(this.#closing!);
  }

  #finish(close: Close): void {
    if (this.session.over) return;
    for (const driver of this.#drivers()) driver.drop();
    this.session.end(close);
    this.#events.ended(close);
  }
}
