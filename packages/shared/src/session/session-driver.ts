/**
 * Drives one mux session: a driver for each of its lanes, and what concerns all of them.
 * Rule: losing the carrier of a lane detaches that lane, and nothing more. A fault of the peer on any lane ends the
 * session.
 * Not here: reading and writing (driver.ts), dialling and accepting carriers.
 */
import { performance } from 'node:perf_hooks';
import type { Carrier } from '../carrier/contract.ts';
import type { Position } from '../protocol/mux/lane.ts';
import { type Goaway, MuxSession, type SessionOptions } from '../protocol/mux/session.ts';
import type { MuxStream } from '../protocol/mux/stream.ts';
import { type Close, ProtocolFault, wireCode, type WireRefusal } from '../protocol/refusal.ts';
import { LaneDriver, type LaneDriverOptions } from './driver.ts';

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
  /** The carrier is gone. The session waits, detached. */
  lost(reason: string): void;
  /** The session is over: the peer closed it, or one side broke the protocol. Not called after `end`. */
  ended(refusal: WireRefusal): void;
}

export interface DriverOptions extends Omit<SessionOptions, 'now' | 'allocate'>, LaneDriverOptions {}

export class SessionDriver {
  readonly session: MuxSession;
  readonly #events: DriverEvents;
  readonly #first: LaneDriver;

  constructor(options: DriverOptions, events: DriverEvents) {
    this.#events = events;
    this.session = new MuxSession(
      { ...options, now: () => performance.now(), allocate: (bytes) => Buffer.allocUnsafeSlow(bytes) },
      {
        wake: () => this.#first.wake(),
        opened: (stream, payload) => events.opened(stream, payload),
        refused: () => events.refused?.(),
        goaway: (goaway) => events.goaway(goaway),
        closed: (close) => this.#closed(close),
      },
    );
    this.#first = new LaneDriver(this.session.first, options, {
      doubted: () => events.doubted?.(),
      answers: () => events.answers?.(),
      lost: (reason) => events.lost(reason),
      failed: (error) => this.#failed(error),
    });
  }

  /** The peer owes an answer for too long: no new stream is opened before it answers. */
  get doubted(): boolean {
    return this.#first.doubted;
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

  /** Destroys the carrier. The session stays as it is. */
  detach(): void {
    this.#first.detach();
  }

  /** Ends the session from our side: resets its streams, and sends CLOSE to the peer. */
  end(refusal: WireRefusal): void {
    this.#first.flush();
    this.session.end(refusal);
    this.#first.close(this.session.closeFrame({ ...refusal, resumable: false }));
  }

  /**
   * Checks now whether the peer is still there, because the machine slept or its network changed. The answer, or the
   * loss, comes within seconds.
   */
  doubt(): void {
    this.#first.doubt();
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

  #closed(close: Close): void {
    if (close.resumable) {
      this.#first.detach();
      this.#events.lost(`the peer closed the connection: ${close.reason}`);
      return;
    }
    this.#first.drop();
    this.session.end(close);
    this.#events.ended(close);
  }
}
