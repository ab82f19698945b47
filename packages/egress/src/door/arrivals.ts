/**
 * Accepted connections at their handshake: each has one deadline from accept until it is settled, and a bound holds how
 * many there are at once.
 * Rule: a connection counts until it has proven an identity or is gone; what is over the bound is dropped at once, and
 * the log says so once a second at most.
 * Not here: what is said on the connection.
 */
import type net from 'node:net';
import type tls from 'node:tls';
import { peerAddress } from '@adit/shared/net/peer-address';
import type { Logger } from '@adit/shared/observe/logger';
import { formatHostPort } from '@adit/shared/protocol/destination';
import { logDenied } from '../clients/denied.ts';

export interface ArrivalsContext {
  readonly handshakeTimeoutMs: number;
  readonly maxHandshakes: number;
  readonly log: Logger;
}

/** An accepted connection at its handshake. */
export interface Arrival {
  readonly socket: net.Socket;
  /** Where it comes from, for the logs; a trusted load balancer may name another address than the connection's. */
  remote: string;
  /** Until when it has time, by performance.now(). */
  readonly deadlineAtMs: number;
  /** The deadline has passed, and the connection was cut. */
  late: boolean;
  /** Over a Unix socket. */
  readonly unix: boolean;
  /** It has proven an identity, or was refused: it leaves the handshake deadline and limit. */
  readonly settled: () => void;
}

/** A connection after its handshake; `proof` is its TLS socket, absent where something before us ended the TLS. */
export interface Origin {
  readonly arrival: Arrival;
  readonly proof?: tls.TLSSocket;
}

/** Between two lines about connections that were dropped. */
const quietMs = 1_000;

export class Arrivals {
  readonly #context: ArrivalsContext;
  /** By both ends' ports and addresses: what the TLS socket and the TCP socket below it have in common. */
  readonly #arrivals = new Map<string, Arrival>();
  #unix = 0;
  #droppedSinceLog = 0;

  constructor(context: ArrivalsContext) {
    this.#context = context;
  }

  get size(): number {
    return this.#arrivals.size;
  }

  /** A connection came in; undefined if it is gone already, or was dropped because too many are at their handshake. */
  accept(socket: net.Socket): Arrival | undefined {
    socket.on('error', () => {
      /* its close is handled below; a reset by a scanner is not worth a log line */
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
    const timer = setTimeout(() => {
      arrival.late = true;
      socket.destroy();
    }, this.#context.handshakeTimeoutMs);
    const arrival: Arrival = {
      socket,
      remote: remoteOf(socket),
      deadlineAtMs: performance.now() + this.#context.handshakeTimeoutMs,
      late: false,
      unix,
      settled: () => {
        clearTimeout(timer);
        if (this.#arrivals.get(name) === arrival) this.#arrivals.delete(name);
      },
    };
    this.#arrivals.set(name, arrival);
    socket.once('close', arrival.settled);
    return arrival;
  }

  /**
   * The arrival that a TCP connection, or the TLS socket over it, belongs to; none if it is settled, or over a Unix
   * socket.
   */
  of(socket: net.Socket): Arrival | undefined {
    return this.#arrivals.get(nameOf(socket));
  }

  /** Cuts every connection that has not proven an identity. */
  close(): void {
    for (const { socket } of [...this.#arrivals.values()]) socket.destroy();
  }

  #drop(socket: net.Socket): void {
    socket.destroy();
    if (this.#droppedSinceLog++ > 0) return;
    setTimeout(() => {
      const { log, maxHandshakes } = this.#context;
      const reason = `${this.#droppedSinceLog} connections dropped: ${maxHandshakes} are at their handshake`;
      logDenied(log, { refusal: { code: 'OVERLOAD', reason }, message: 'too many handshakes' });
      this.#droppedSinceLog = 0;
    }, quietMs).unref();
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
  const { host, port } = peerAddress(socket) ?? { host: 'unknown', port: 0 };
  return formatHostPort(host, port);
}
