/**
 * Accepted connections until they are settled: each has one deadline from accept on, a shorter one for its first byte,
 * and a place among at most `maxHandshakes`.
 * Rule: a connection that has proven an identity is never cut for one that has not. It leaves the places of strangers
 * then, and until its HELLO it has one among as many others, which are shared by identity instead of by address: so at
 * most twice `maxHandshakes` are not settled. Those that are cut to make room are counted, and the log says so at most
 * once a second.
 * Not here: who makes room (places.ts), what is said on the connection.
 */
import type net from 'node:net';
import type tls from 'node:tls';
import { Deadline } from '@adit/shared/net/deadline';
import { peerAddress } from '@adit/shared/net/peer-address';
import { type Congestion, controlTcp, type TcpControl } from '@adit/shared/net/tcp-control';
import type { Logger } from '@adit/shared/observe/logger';
import { formatHostPort, type HostPort } from '@adit/shared/protocol/destination';
import { logDenied } from '../clients/denied.ts';
import { type Holder, Places } from './places.ts';
import { sourceOf } from './source.ts';

export interface ArrivalsContext {
  readonly handshakeTimeoutMs: number;
  readonly maxHandshakes: number;
  /** Of the TCP connections of clients that were admitted. */
  readonly congestion: Congestion;
  readonly log: Logger;
}

/** An accepted connection at its handshake. */
export interface Arrival extends Holder {
  readonly socket: net.Socket;
  /** Where it comes from, for the logs; a trusted load balancer may name another address than the connection's. */
  readonly remote: string;
  readonly deadline: Deadline;
  /** Why it was cut before it was settled: its time was over, or it made room for another. */
  readonly cut: 'late' | 'crowded' | undefined;
  /** Over a Unix socket. */
  readonly unix: boolean;
  /** A load balancer named its client: that is where it comes from. It has to send a first byte of its own. */
  named(client: HostPort): void;
  /** Its first byte has come. */
  heard(): void;
  /** Its certificate was accepted: strangers take no place from it any more. */
  proved(identity: string): void;
  /** Takes control of its TCP connection: it is that of an admitted client. */
  controlled(): TcpControl | undefined;
  /** It is attached, or was refused: it leaves the handshake deadline and limit. */
  settled(): void;
}

/** A connection after its handshake; `proof` is its TLS socket, absent where something before us ended the TLS. */
export interface Origin {
  readonly arrival: Arrival;
  readonly proof?: tls.TLSSocket;
}

/** The first byte of a connection, and that of the client behind a PROXY header, each have so long; ms. */
export const firstByteMs = 3_000;
/** Between two lines about connections that made room. */
const quietMs = 1_000;

export class Arrivals {
  readonly #context: ArrivalsContext;
  /** By both ends' ports and addresses: what the TLS socket and the TCP socket below it have in common. */
  readonly #arrivals = new Map<string, Arriving>();
  readonly #strangers: Places<Arriving>;
  readonly #proven: Places<Arriving>;
  #unnamed = 0;
  /** How many made room since the last line, by source. */
  #madeRoom = new Map<string, number>();

  constructor(context: ArrivalsContext) {
    this.#context = context;
    this.#strangers = new Places(context.maxHandshakes);
    this.#proven = new Places(context.maxHandshakes);
  }

  /**
   * A connection came in; undefined if it is gone already. `announced`: a PROXY header comes first. Until then it
   * belongs to no source, because the connections of a load balancer are not those of one client; the same holds for
   * Unix sockets.
   */
  accept(socket: net.Socket, { announced }: { readonly announced: boolean }): Arrival | undefined {
    socket.on('error', () => {
      /* its close is handled below; a reset by a scanner is not worth a log line */
    });
    const unix = isUnix(socket);
    const peer = peerAddress(socket);
    if (peer === undefined && !unix) {
      socket.destroy();
      return undefined;
    }
    const name = unix ? `unix ${++this.#unnamed}` : nameOf(socket);
    const arrival = new Arriving({
      socket,
      unix,
      remote: peer ? formatHostPort(peer.host, peer.port) : 'local',
      source: peer && !announced ? sourceOf(peer.host) : `unknown ${++this.#unnamed}`,
      deadline: new Deadline(this.#context.handshakeTimeoutMs),
      congestion: this.#context.congestion,
      moved: () => this.#strangers.recount(arrival),
      proven: () => {
        this.#strangers.leave(arrival);
        this.#seat(this.#proven, arrival);
      },
      over: () => {
        this.#strangers.leave(arrival);
        this.#proven.leave(arrival);
        if (this.#arrivals.get(name) === arrival) this.#arrivals.delete(name);
      },
    });
    this.#arrivals.set(name, arrival);
    this.#seat(this.#strangers, arrival);
    socket.once('close', () => arrival.settled());
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

  #seat(places: Places<Arriving>, arrival: Arriving): void {
    const displaced = places.take(arrival, performance.now());
    if (!displaced) return;
    this.#count(displaced.source);
    displaced.makeRoom();
  }

  #count(source: string): void {
    if (this.#madeRoom.size === 0) setTimeout(() => this.#report(), quietMs).unref();
    this.#madeRoom.set(source, (this.#madeRoom.get(source) ?? 0) + 1);
  }

  #report(): void {
    let [total, busiest, most] = [0, '', 0];
    for (const [source, count] of this.#madeRoom) {
      total += count;
      if (count > most) [busiest, most] = [source, count];
    }
    this.#madeRoom = new Map();
    const { log, maxHandshakes } = this.#context;
    const reason =
      `${total} connections at their handshake were cut to make room, ${most} of them from ${busiest}: all ` +
      `${maxHandshakes} places were taken`;
    logDenied(log, { refusal: { code: 'OVERLOAD', reason }, message: 'too many handshakes' });
  }
}

interface Beginning extends Pick<Arrival, 'socket' | 'remote' | 'source' | 'deadline' | 'unix'> {
  readonly congestion: Congestion;
  /** Its source changed. */
  readonly moved: () => void;
  readonly proven: () => void;
  /** It is settled, or gone. */
  readonly over: () => void;
}

class Arriving implements Arrival {
  readonly socket: net.Socket;
  readonly unix: boolean;
  readonly deadline: Deadline;
  readonly sinceMs = performance.now();
  remote: string;
  source: string;
  spoke = false;
  cut: 'late' | 'crowded' | undefined;
  readonly #beginning: Beginning;
  #firstByte = new Deadline(firstByteMs);
  #timer: NodeJS.Timeout | undefined;

  constructor(beginning: Beginning) {
    const { socket, remote, source, deadline, unix } = beginning;
    this.#beginning = beginning;
    this.socket = socket;
    this.unix = unix;
    this.deadline = deadline;
    this.remote = remote;
    this.source = source;
    this.#wait();
  }

  named({ host, port }: HostPort): void {
    this.remote = formatHostPort(host, port);
    this.source = sourceOf(host);
    this.#beginning.moved();
    this.#firstByte = new Deadline(firstByteMs);
  }

  heard(): void {
    this.spoke = true;
  }

  proved(identity: string): void {
    this.source = identity;
    this.#beginning.proven();
  }

  controlled(): TcpControl | undefined {
    return this.unix ? undefined : controlTcp(this.socket, this.#beginning.congestion);
  }

  settled(): void {
    clearTimeout(this.#timer);
    this.#beginning.over();
  }

  /** It has no place any more. A reset, so that those who come again and again leave nothing behind in the kernel. */
  makeRoom(): void {
    this.cut = 'crowded';
    if (this.unix) this.socket.destroy();
    else this.socket.resetAndDestroy();
  }

  #wait(): void {
    const leftMs = this.spoke ? this.deadline.leftMs : Math.min(this.deadline.leftMs, this.#firstByte.leftMs);
    this.#timer = setTimeout(() => this.#look(), leftMs);
  }

  /** The timer is not moved when a byte comes, which costs less: it looks whether there was one. */
  #look(): void {
    if (this.deadline.passed || (!this.spoke && this.#firstByte.passed)) {
      this.cut = 'late';
      this.socket.destroy();
    } else this.#wait();
  }
}

/** A TCP connection that is gone already still has its own address. */
function isUnix({ remoteAddress, localAddress }: net.Socket): boolean {
  return remoteAddress === undefined && localAddress === undefined;
}

function nameOf({ remoteAddress, remotePort, localAddress, localPort }: net.Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
