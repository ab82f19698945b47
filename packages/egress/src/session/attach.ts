/**
 * From an accepted connection to a session: judge the certificate, read HELLO, ask the policy whether it knows this
 * identity, attach.
 * Rule: nothing is read from a peer that is not authenticated; every refusal is one REFUSE with its reason and one
 * `denied` line in the log; from accept to WELCOME there is one deadline and a bound on how many are at it at once.
 */
import type net from 'node:net';
import type { Duplex } from 'node:stream';
import type tls from 'node:tls';
import type { CarrierKind } from '@adit/shared/carrier/contract';
import { carrierOf } from '@adit/shared/carrier/tls';
import { codes } from '@adit/shared/codes';
import { AditError } from '@adit/shared/errors';
import { factsOf, judgeClient, type PeerContext } from '@adit/shared/identity/peer';
import type { Logger } from '@adit/shared/observe/logger';
import { receiveHello, refuse } from '@adit/shared/session/accept';
import type { Full } from '../limits.ts';
import type { Policy } from '../policy/policy.ts';
import type { Sessions } from './sessions.ts';

export interface AttachContext {
  readonly handshakeTimeoutMs: number;
  readonly maxHandshakes: number;
  readonly peers: () => PeerContext;
  readonly policy: () => Policy;
  readonly sessions: Sessions;
  readonly draining: () => boolean;
  readonly log: Logger;
}

/**
 * An accepted connection that is at its handshake: where it comes from, and until when it has time (by
 * performance.now()).
 */
export interface Arrival {
  readonly socket: net.Socket;
  readonly name: string;
  /** For the logs; a trusted load balancer may say another one than that of the TCP connection. */ remote: string;
  readonly deadlineAtMs: number;
  readonly timer: NodeJS.Timeout;
  /** Over a Unix socket. */ readonly unix: boolean;
}

/** A carrier to be: its frames go over `duplex`, its ends were proven by the handshake of `proof`. */
export interface Offer {
  readonly kind: CarrierKind;
  readonly duplex: Duplex;
  readonly proof: tls.TLSSocket;
}

/** Retry hint for refusals that pass by themselves, ms. */
const retryAfterMs = 1_000;

export class Attachments {
  readonly #context: AttachContext;
  /** By both ends' ports and addresses: what the TLS socket and the TCP socket below it have in common. */
  readonly #arrivals = new Map<string, Arrival>();
  #unix = 0;
  #droppedSinceLog = 0;

  constructor(context: AttachContext) {
    this.#context = context;
  }

  get handshakes(): number {
    return this.#arrivals.size;
  }

  /**
   * A TCP connection came in; undefined if it was dropped because too many are at their handshake, or is gone already.
   */
  accept(socket: net.Socket): Arrival | undefined {
    socket.on('error', () => {
      /* its close is counted below; a scanner's reset is no event */
    });
    const unix = isUnix(socket);
    if (socket.remoteAddress === undefined && !unix) {
      socket.destroy();
      return undefined;
    }
    if (this.#arrivals.size >= this.#context.maxHandshakes) {
      this.#drop(socket);
      return undefined;
    }
    const name = unix ? `unix ${++this.#unix}` : nameOf(socket);
    const timer = setTimeout(() => socket.destroy(), this.#context.handshakeTimeoutMs);
    const arrival: Arrival = {
      socket,
      name,
      remote: remoteOf(socket),
      deadlineAtMs: performance.now() + this.#context.handshakeTimeoutMs,
      timer,
      unix,
    };
    this.#arrivals.set(name, arrival);
    socket.once('close', () => this.#done(name));
    return arrival;
  }

  /**
   * The arrival that a TCP connection, or the TLS socket over it, belongs to; none if it is too late, or over a Unix
   * socket.
   */
  arrivalOf(socket: net.Socket): Arrival | undefined {
    return this.#arrivals.get(nameOf(socket));
  }

  /** Somebody's certificate was judged good without a HELLO: the connection counts no longer. */
  proven({ name }: Arrival): void {
    this.#done(name);
  }

  /** Cuts every connection that has not proven an identity. */
  close(): void {
    for (const { socket } of [...this.#arrivals.values()]) socket.destroy();
  }

  /** A handshake is done, frames may come; never rejects. */
  async offered(arrival: Arrival, offer: Offer): Promise<void> {
    const { remote } = arrival;
    try {
      await this.#attach(arrival, offer);
    } catch (error) {
      if (!(error instanceof AditError)) throw error;
      this.#context.log.warn({ event: 'denied', remote, code: error.code, reason: error.message }, 'no session');
      if (error.code === 'PROTOCOL_ERROR')
        await refuse(offer.duplex, { code: error.code, reason: 'this is not a valid HELLO of adit/1' });
      offer.duplex.destroy();
    } finally {
      this.#done(arrival.name);
    }
  }

  /** Says no, on the wire with a code and in the log. */
  refused({ remote }: Arrival, duplex: Duplex, refusal: Full): Promise<void> {
    return this.#refuse(duplex, remote, refusal);
  }

  async #attach({ remote, deadlineAtMs }: Arrival, { kind, duplex, proof }: Offer): Promise<void> {
    const verdict = judgeClient(factsOf(proof), this.#context.peers());
    if (!verdict.ok) return this.#refuse(duplex, remote, verdict);
    const { identity } = verdict;
    if (this.#context.draining())
      return this.#refuse(duplex, remote, { code: 'DRAINING', reason: 'the egress is shutting down' }, identity.uri);
    if (!this.#context.policy().knows(identity))
      return this.#refuse(
        duplex,
        remote,
        { code: 'IDENTITY_NOT_IN_POLICY', reason: `no rule names ${identity.uri} or its groups` },
        identity.uri,
      );
    const carrier = carrierOf({ kind, duplex, proof, remote });
    const hello = await receiveHello(carrier, Math.max(1, deadlineAtMs - performance.now()));
    const full = this.#context.sessions.attach(carrier, identity, hello);
    if (full) return this.#refuse(duplex, remote, full, identity.uri);
    return undefined;
  }

  async #refuse(
    duplex: Duplex,
    remote: string,
    ...[{ code, reason, detail }, identity]: [Full, string?]
  ): Promise<void> {
    this.#context.log.warn(
      { event: 'denied', remote, ...(identity !== undefined && { identity }), code, reason: detail ?? reason },
      'refused',
    );
    await refuse(duplex, { code, reason, retryAfterMs: codes[code].retryable ? retryAfterMs : 0 });
  }

  /** The connection is past its handshake, or gone: it counts no longer. */
  #done(name: string): void {
    clearTimeout(this.#arrivals.get(name)?.timer);
    this.#arrivals.delete(name);
  }

  #drop(socket: net.Socket): void {
    socket.destroy();
    if (this.#droppedSinceLog++ > 0) return;
    setTimeout(() => {
      this.#context.log.warn(
        {
          event: 'denied',
          code: 'OVERLOAD',
          reason: `${this.#droppedSinceLog} connections dropped: ${this.#context.maxHandshakes} are at their handshake`,
        },
        'too many handshakes',
      );
      this.#droppedSinceLog = 0;
    }, retryAfterMs).unref();
  }
}

/** A TCP connection that is gone already still has its own address. */
function isUnix({ remoteAddress, localAddress }: net.Socket): boolean {
  return remoteAddress === undefined && localAddress === undefined;
}

function nameOf({ remoteAddress, remotePort, localAddress, localPort }: net.Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

function remoteOf(socket: net.Socket): string {
  if (isUnix(socket)) return 'local';
  const { remoteAddress = 'unknown', remotePort = 0 } = socket;
  return remoteAddress.includes(':') ? `[${remoteAddress}]:${remotePort}` : `${remoteAddress}:${remotePort}`;
}
