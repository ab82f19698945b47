/**
 * One client of the egress: a peer that was admitted, by a session or by CONNECT, and the streams that it has open.
 * Rule: a stream belongs to its client, and is judged by the identity that the client has now. A resume may change that
 * identity; then every open stream is judged again before a byte moves on it.
 * Not here: who is admitted (admit.ts), and how a way in speaks with its peer (session/, connect/).
 */
import type { Duplex } from 'node:stream';
import type { CarrierKind } from '@adit/shared/carrier/contract';
import type { Refusal } from '@adit/shared/errors';
import type { PeerIdentity } from '@adit/shared/identity/peer';
import { publishSession } from '@adit/shared/observe/access-record';
import type { Logger } from '@adit/shared/observe/logger';
import type { OfferedStream } from '@adit/shared/stream/contract';
import type { Lease, Limits } from '../limits/limits.ts';
import type { WaitingBytes } from '../limits/waiting.ts';
import { type Asked, type Changed, ServedStream, type StreamContext } from '../stream.ts';

/** What a way in does itself. */
export interface Way {
  /**
   * Tells the peer to ask for no new streams, and ends with the last one; they may take `graceMs`. `left` is called
   * when none can come any more: those that cross the announcement are served.
   */
  leave(graceMs: number, left: () => void): void;
  /** Ends at once and tells the peer why, once for all streams. Absent where each stream is reset by itself. */
  end?(refusal: Refusal): void;
}

export interface Joining {
  /** What the log calls it. */
  readonly name: string;
  readonly identity: PeerIdentity;
  /** Where it comes from. */
  readonly remote: string;
  readonly way: Way;
}

/** How a session came up, for the log. */
export interface Connected {
  readonly carrier: CarrierKind | 'h2';
  readonly resumed: boolean;
  /** That of its TCP connection, where we choose it. */
  readonly congestion?: string;
  readonly agent?: string;
  readonly epoch?: number;
}

/** What all clients share. */
export interface ClientContext extends Omit<StreamContext, 'client' | 'admit' | 'waits' | 'wasted' | 'ended'> {
  readonly limits: Limits;
  readonly waiting: WaitingBytes;
  readonly log: Logger;
  /** A duplex carries a stream; the client has not left before it is closed. */
  readonly held: (duplex: Duplex) => void;
  /** One of the streams is over, or none can come any more. */
  readonly streamEnded: () => void;
  /** The client has to go: it is logged and ended. */
  readonly turnAway: (client: Client, refusal: Refusal) => void;
  /** The client is gone. */
  readonly left: (client: Client) => void;
}

export class Client {
  readonly name: string;
  readonly #context: ClientContext;
  readonly #way: Way;
  readonly #streams = new Set<ServedStream>();
  #identity: PeerIdentity;
  #remote: string;
  #ended = false;
  /** It was told to ask for no new streams, and some may be under way. */
  #leaving = false;

  constructor({ name, identity, remote, way }: Joining, context: ClientContext) {
    this.name = name;
    this.#identity = identity;
    this.#remote = remote;
    this.#way = way;
    this.#context = context;
  }

  get identity(): PeerIdentity {
    return this.#identity;
  }
  /** Where it comes from now. */
  get remote(): string {
    return this.#remote;
  }
  /** Streams that are open. */
  get streams(): number {
    return this.#streams.size;
  }
  /** It has streams, or they may be under way although it leaves. */
  get busy(): boolean {
    return this.#streams.size > 0 || this.#leaving;
  }
  /** It was ended; what is left of it closes. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Serves a stream that the client asked for. With a duplex, the stream keeps its place under the limits until that
   * is closed: a client that does not read the rest keeps the place.
   */
  serve(stream: OfferedStream, asked: Uint8Array | Asked, duplex?: Duplex): void {
    const { policy, services, dialTimeoutMs, idleTimeoutMs, record, limits, waiting, held, streamEnded } =
      this.#context;
    if (duplex) held(duplex);
    const served: ServedStream = new ServedStream(stream, asked, {
      client: this,
      ...{ policy, services, dialTimeoutMs, idleTimeoutMs, record },
      admit: () => heldUntilClosed(limits.stream(this.#identity.uri), duplex),
      wasted: () => this.wasted(),
      waits: (cut) => waiting.stream(this.#identity.uri, cut),
      ended: (over) => {
        this.#streams.delete(over);
        streamEnded();
      },
    });
    if (!stream.dead) this.#streams.add(served);
  }

  /**
   * A stream that it asked for came to nothing. If that is one too many, it is ended, after what is being parsed: it is
   * in the midst of that.
   */
  wasted(): void {
    if (this.#ended) return;
    const refusal = this.#context.limits.wasted(this.#identity.uri);
    if (refusal)
      queueMicrotask(() => {
        if (!this.#ended) this.#context.turnAway(this, refusal);
      });
  }

  /** The session was resumed, maybe with a renewed certificate: its streams may reach what that one may. */
  resumed(identity: PeerIdentity, remote: string): void {
    this.#identity = identity;
    this.#remote = remote;
    this.recheck('certificate');
  }

  /** Resets the streams that are no longer allowed. */
  recheck(changed: Changed): void {
    for (const stream of [...this.#streams]) stream.recheck(changed);
  }

  /** Takes no new streams but those that are under way; they and those that are open may finish. */
  leave(graceMs: number): void {
    this.#leaving = true;
    this.#way.leave(graceMs, () => {
      this.#leaving = false;
      this.#context.streamEnded();
    });
  }

  /** Ends it and every stream. */
  end(refusal: Refusal): void {
    this.#ended = true;
    if (this.#way.end) {
      this.#way.end(refusal);
      return;
    }
    for (const stream of [...this.#streams]) stream.abort(refusal);
    this.#way.leave(0, () => {
      /* it is ended: nobody waits for it */
    });
  }

  /** Logs that its session is up, anew or again, and publishes a new one. */
  connected(how: Connected): void {
    const { name: session, remote } = this;
    const identity = this.#identity.uri;
    this.#context.log.info(
      { event: 'connected', session, identity, remote, ...how },
      how.resumed ? 'session resumed' : 'session opened',
    );
    if (!how.resumed) publishSession({ session, identity, peer: remote, state: 'opened' });
  }

  /** Its connection or session is gone; the reason is for the log, where `connected` was logged. */
  left(reason?: string): void {
    if (reason !== undefined) {
      const { name: session, remote } = this;
      const identity = this.#identity.uri;
      this.#context.log.info({ event: 'disconnected', session, identity, reason }, 'session ended');
      publishSession({ session, identity, peer: remote, state: 'closed' });
    }
    this.#context.left(this);
  }
}

/** Gives the place back only when the duplex is closed. */
function heldUntilClosed(lease: Lease | Refusal, duplex: Duplex | undefined): Lease | Refusal {
  if (duplex === undefined || 'code' in lease) return lease;
  return {
    release: () => {
      if (duplex.closed) lease.release();
      else duplex.once('close', () => lease.release());
    },
  };
}
