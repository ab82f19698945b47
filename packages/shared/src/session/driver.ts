/**
 * Drives one mux session over its carriers: reads, one batch of writes per tick, acks, keepalive.
 * Rule: at most one carrier is attached, and only its bytes reach the session. Losing it detaches the session, and
 * nothing more. Nothing waits for a write: reading continues however full the carrier is, so that credit and acks
 * always flow.
 */
import { performance } from 'node:perf_hooks';
import type { Carrier } from '../carrier/contract.ts';
import { messageOf } from '../errors.ts';
import { gatherPushes } from '../net/gathered-pushes.ts';
import type { Position, Write } from '../protocol/mux/lane.ts';
import { MuxSession, type Goaway, type SessionOptions } from '../protocol/mux/session.ts';
import type { MuxStream } from '../protocol/mux/stream.ts';
import { ProtocolFault, wireCode, type Close, type WireRefusal } from '../protocol/refusal.ts';
import { Doubt } from './doubt.ts';
import { Keepalive, type KeepaliveOptions } from './keepalive.ts';
import type { TurnBudget } from './turn-budget.ts';

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

export interface DriverOptions extends Omit<SessionOptions, 'now' | 'allocate'>, KeepaliveOptions {
  /** How much is parsed in a turn of the event loop; absent: everything that comes. */
  readonly turns?: TurnBudget;
}

const writeAheadBytes = 262_144;
const ackDelayMs = 25;
/** How long the peer of an ended session may take to close. */
const lingerMs = 1_000;
const corkBelowBytes = 32_768;

export class SessionDriver {
  readonly session: MuxSession;
  readonly #events: DriverEvents;
  #carrier: Carrier | undefined;
  #flushing = false;
  #ackTimer: NodeJS.Timeout | undefined;
  readonly #turns: TurnBudget | undefined;
  /** What the budget of the turn left over. The carrier is not read while there is some. */
  #rest: Uint8Array | undefined;
  readonly #keepalive: Keepalive;
  /** Absent at the side that never sends a PING. */
  readonly #doubt: Doubt | undefined;
  readonly #write: Write = (bytes, done) => {
    const duplex = this.#carrier!.duplex;
    if (done) duplex.write(bytes, () => done.release());
    else duplex.write(bytes);
    return duplex.writableLength < writeAheadBytes;
  };

  constructor(options: DriverOptions, events: DriverEvents) {
    this.#events = events;
    this.#turns = options.turns;
    this.#keepalive = new Keepalive(options, {
      ping: () => this.session.ping(Math.floor(performance.now())),
      dead: (reason) => this.#lost(reason),
    });
    this.session = new MuxSession(
      { ...options, now: () => performance.now(), allocate: (bytes) => Buffer.allocUnsafeSlow(bytes) },
      {
        wake: () => this.#wake(),
        opened: (stream, payload) => events.opened(stream, payload),
        refused: () => events.refused?.(),
        goaway: (goaway) => events.goaway(goaway),
        closed: (close) => this.#closed(close),
      },
    );
    if (options.pingAfterMs > 0)
      this.#doubt = new Doubt(this.session, { begins: () => events.doubted?.(), ends: () => events.answers?.() });
  }

  /** The peer owes an answer for too long: no new stream is opened before it answers. */
  get doubted(): boolean {
    return this.#doubt?.holds === true;
  }
  get attached(): boolean {
    return this.#carrier !== undefined;
  }
  get carrier(): Carrier | undefined {
    return this.#carrier;
  }

  /** Attaches a carrier after its handshake: we send from `theirs`, and `rest` is what the peer has already sent. */
  attach(carrier: Carrier, theirs: Position, rest: Uint8Array): void {
    if (this.#carrier) this.detach();
    this.#carrier = carrier;
    this.#keepalive.start();
    const { duplex } = carrier;
    const gone = (reason: string) => (): void => {
      if (this.#carrier === carrier) this.#lost(reason);
    };
    const pushes = gatherPushes(duplex); // it is paused while the budget of the turn is used up
    duplex.on('data', (chunk: Buffer) => {
      if (this.#carrier === carrier) this.#receive(chunk);
      pushes.taken();
    });
    duplex.on('drain', () => {
      if (this.#carrier === carrier) this.#drained();
    });
    duplex.on('end', gone('the peer ended the connection'));
    duplex.on('close', () => gone(duplex.errored ? messageOf(duplex.errored) : 'the connection closed')());
    this.session.attach(theirs);
    if (rest.length > 0) this.#receive(rest);
    if (this.#carrier !== carrier) return;
    if (duplex.destroyed) this.#lost('the connection closed');
    else if (this.#rest === undefined) duplex.resume();
  }

  /** Destroys the carrier. The session stays as it is. */
  detach(): void {
    const carrier = this.#carrier;
    if (carrier === undefined) return;
    this.#carrier = undefined;
    this.session.detach();
    this.#stop();
    carrier.duplex.destroy();
  }

  /** Ends the session from our side: resets its streams, and sends CLOSE to the peer. */
  end(refusal: WireRefusal): void {
    const carrier = this.#carrier;
    if (carrier) this.#flush();
    this.session.end(refusal);
    this.#carrier = undefined;
    this.#stop();
    if (!carrier) return;
    const { duplex } = carrier;
    duplex.removeAllListeners('data');
    duplex.end(this.session.closeFrame({ ...refusal, resumable: false }));
    duplex.resume();
    setTimeout(() => duplex.destroy(), lingerMs).unref();
  }

  /**
   * Checks now whether the peer is still there, because the machine slept or its network changed. The answer, or the
   * loss, comes within seconds.
   */
  doubt(): void {
    this.#keepalive.doubt();
  }

  #receive(chunk: Uint8Array): void {
    this.#keepalive.heard();
    // a stream that was paused emits no more; if one does, its bytes keep their order
    const bytes = this.#rest ? Buffer.concat([this.#rest, chunk]) : chunk;
    this.#rest = undefined;
    let parsed: number;
    try {
      parsed = this.session.receive(bytes, this.#turns?.left);
    } catch (error) {
      this.#fault(error);
      return;
    }
    this.#doubt?.settle();
    if (parsed < bytes.length) this.#later(bytes.subarray(parsed));
    if (this.#ackTimer === undefined && this.session.lane.owesAck) {
      this.#ackTimer = setTimeout(() => {
        this.#ackTimer = undefined;
        if (this.session.lane.owesAck) this.#flush();
      }, ackDelayMs);
    }
  }

  #later(rest: Uint8Array): void {
    this.#rest = rest;
    this.#carrier?.duplex.pause();
    this.#turns?.wait(this.#goOn);
  }

  readonly #goOn = (): void => {
    const rest = this.#rest;
    if (rest === undefined) return;
    this.#rest = undefined;
    this.#receive(rest);
    if (this.#rest === undefined) this.#carrier?.duplex.resume();
  };

  #fault(error: unknown): void {
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
      this.#lost(`the peer closed the connection: ${close.reason}`);
      return;
    }
    const carrier = this.#carrier;
    this.#carrier = undefined;
    this.#stop();
    carrier?.duplex.destroy();
    this.session.end(close);
    this.#events.ended(close);
  }

  #lost(reason: string): void {
    this.detach();
    this.#events.lost(reason);
  }

  #wake(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    const carrier = this.#carrier;
    if (carrier === undefined || this.session.over) return;
    const { duplex } = carrier;
    this.session.lane.busy = duplex.writableLength >= writeAheadBytes; // it may have drained in part meanwhile
    const small = this.session.lane.log.unsent < corkBelowBytes;
    if (small) duplex.cork();
    this.session.flush(this.#write);
    this.#doubt?.watch();
    if (small) duplex.uncork();
    this.session.lane.busy = duplex.writableLength >= writeAheadBytes;
  }

  #drained(): void {
    this.session.lane.busy = false;
    this.#wake();
  }

  #stop(): void {
    clearTimeout(this.#ackTimer);
    this.#ackTimer = undefined;
    this.#rest = undefined;
    this.#keepalive.stop();
    this.#doubt?.stop();
  }
}
