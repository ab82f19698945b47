/**
 * Drives one lane of a session over its carriers: reads, one batch of writes per tick, acks, keepalive.
 * Rule: at most one carrier is attached, and only its bytes reach the lane. Losing it detaches the lane, and nothing
 * more. Nothing waits for a write: reading continues however full the carrier is, so that credit and acks always flow.
 * Not here: the session and its other lanes (session-driver.ts).
 */
import { performance } from 'node:perf_hooks';
import type { Carrier } from '../carrier/contract.ts';
import { messageOf } from '../errors.ts';
import { readCarrier } from '../net/carrier-reads.ts';
import type { Position, Write } from '../protocol/mux/lane.ts';
import type { SessionLane } from '../protocol/mux/session-lane.ts';
import { Doubt } from './doubt.ts';
import { Keepalive, type KeepaliveOptions } from './keepalive.ts';
import { PathWatch } from './path-watch.ts';
import type { TurnBudget } from './turn-budget.ts';

export interface LaneDriverEvents {
  /** The peer owes an answer for too long, and is asked by PING: see Doubt. */
  doubted(): void;
  /** It answers again. */
  answers(): void;
  /** The carrier is gone. The lane waits, detached. */
  lost(reason: string): void;
  /** The peer broke the protocol (a ProtocolFault), or we did something wrong. */
  failed(error: unknown): void;
}

export interface LaneDriverOptions extends KeepaliveOptions {
  /** How much is parsed in a turn of the event loop; absent: everything that comes. */
  readonly turns?: TurnBudget;
}

const ackDelayMs = 25;
/** How long the peer of an ended session may take to close. */
const lingerMs = 1_000;
const corkBelowBytes = 32_768;

export class LaneDriver {
  readonly #lane: SessionLane;
  readonly #events: LaneDriverEvents;
  #carrier: Carrier | undefined;
  #path: PathWatch | undefined;
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
    return duplex.writableLength < this.#lane.lane.aheadBytes;
  };

  constructor(lane: SessionLane, options: LaneDriverOptions, events: LaneDriverEvents) {
    this.#lane = lane;
    this.#events = events;
    this.#turns = options.turns;
    this.#keepalive = new Keepalive(options, {
      ping: () => lane.ping(Math.floor(performance.now())),
      dead: (reason) => this.#lost(reason),
    });
    if (options.pingAfterMs > 0)
      this.#doubt = new Doubt(lane, { begins: () => events.doubted(), ends: () => events.answers() });
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
    const before = readCarrier(duplex, (bytes) => {
      if (this.#carrier === carrier) this.#receive(bytes);
    });
    duplex.on('drain', () => {
      if (this.#carrier === carrier) this.#drained();
    });
    duplex.on('end', gone('the peer ended the connection'));
    duplex.on('close', () => gone(duplex.errored ? messageOf(duplex.errored) : 'the connection closed')());
    this.#path = new PathWatch(carrier.tcp, this.#lane.lane.flight);
    this.#lane.attach(theirs);
    for (const bytes of [rest, before]) if (bytes.length > 0 && this.#carrier === carrier) this.#receive(bytes);
    if (this.#carrier !== carrier) return;
    if (duplex.destroyed) this.#lost('the connection closed');
    else if (this.#rest === undefined) duplex.resume();
  }

  /** Destroys the carrier. The lane stays as it is. */
  detach(): void {
    const carrier = this.#carrier;
    if (carrier === undefined) return;
    this.#carrier = undefined;
    this.#lane.detach();
    this.#stop();
    carrier.duplex.destroy();
  }

  /** The session is over: sends this last frame and lets go of the carrier. */
  close(lastFrame: Uint8Array): void {
    const duplex = this.#carrier?.duplex;
    this.#carrier = undefined;
    this.#stop();
    if (!duplex) return;
    duplex.removeAllListeners('data');
    duplex.end(lastFrame);
    duplex.resume();
    setTimeout(() => duplex.destroy(), lingerMs).unref();
  }

  /** The session is over, and the peer knows: destroys the carrier. */
  drop(): void {
    const carrier = this.#carrier;
    this.#carrier = undefined;
    this.#stop();
    carrier?.duplex.destroy();
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
    // TLS passes on what it has decrypted already, also to a carrier that is paused
    const bytes = this.#rest ? Buffer.concat([this.#rest, chunk]) : chunk;
    this.#rest = undefined;
    let parsed: number;
    try {
      parsed = this.#lane.receive(bytes, this.#turns?.left);
    } catch (error) {
      this.#events.failed(error);
      return;
    }
    this.#doubt?.settle();
    if (parsed < bytes.length) this.#later(bytes.subarray(parsed));
    if (this.#ackTimer === undefined && this.#lane.lane.owesAck) {
      this.#ackTimer = setTimeout(() => {
        this.#ackTimer = undefined;
        if (this.#lane.lane.owesAck) this.flush();
      }, ackDelayMs);
    }
  }

  #later(rest: Uint8Array): void {
    this.#rest = Buffer.from(rest); // a copy: the carrier reads into the same memory again
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

  #lost(reason: string): void {
    this.detach();
    this.#events.lost(reason);
  }

  /** There is something to write, or a stream's turn. Called often. */
  wake(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      this.flush();
    });
  }

  /** Writes what there is, now. */
  flush(): void {
    const carrier = this.#carrier;
    if (carrier === undefined || !this.#lane.attached) return;
    const { duplex } = carrier;
    const { lane } = this.#lane;
    this.#path?.look(performance.now());
    lane.busy = duplex.writableLength >= lane.aheadBytes; // it may have drained in part meanwhile
    const small = this.#lane.lane.log.unsent < corkBelowBytes;
    if (small) duplex.cork();
    this.#lane.flush(this.#write);
    this.#doubt?.watch();
    if (small) duplex.uncork();
    lane.busy = duplex.writableLength >= lane.aheadBytes;
  }

  #drained(): void {
    this.#lane.lane.busy = false;
    this.wake();
  }

  #stop(): void {
    clearTimeout(this.#ackTimer);
    this.#ackTimer = undefined;
    this.#rest = undefined;
    this.#keepalive.stop();
    this.#doubt?.stop();
  }
}
