/**
 * The ports of the egress: accepted connections, the PROXY header before them, TLS, and then frames or HTTP, as the
 * client chose.
 * Rule: from accept to an identity there is one deadline and one bound; a TLS handshake begins when the first byte has
 * come and it is its source's turn; after a reload the next handshake uses the new files.
 * Not here: what is judged (clients/), what is served (session/, connect/).
 */
import type net from 'node:net';
import tls from 'node:tls';
import { acceptInnerTls } from '@adit/shared/carrier/inner-tls';
import { alpn, serverOptions } from '@adit/shared/carrier/tls';
import type { ListenSpec } from '@adit/shared/config/values/listen-at';
import { AditError } from '@adit/shared/errors';
import type { Credentials } from '@adit/shared/identity/credentials';
import type { TrustAnchors } from '@adit/shared/identity/trust';
import { type Activation, checkActivation } from '@adit/shared/net/activation';
import { listen, type Listener } from '@adit/shared/net/listen';
import type { Congestion } from '@adit/shared/net/tcp-control';
import type { Logger } from '@adit/shared/observe/logger';
import type { Cidr } from '@adit/shared/protocol/address';
import type { Clients } from '../clients/clients.ts';
import { attach } from '../session/attach.ts';
import type { Sessions } from '../session/sessions.ts';
import { type Arrival, Arrivals } from './arrivals.ts';
import { heard, stirred } from './first-byte.ts';
import { HttpDoor } from './http.ts';
import { ProxyHeaders } from './proxy-header.ts';
import { Turns } from './turns.ts';

export interface DoorOptions {
  readonly listen: readonly ListenSpec[];
  /** Where HTTP is spoken without TLS. */
  readonly listenHttp: readonly ListenSpec[];
  readonly wsPath: string;
  readonly acceptProxyProtocol: readonly Cidr[];
  readonly handshakeTimeoutMs: number;
  readonly maxHandshakes: number;
  readonly congestion: Congestion;
}

/** What is shown and believed in handshakes. */
export interface DoorTrust {
  readonly credentials: Credentials;
  readonly anchors: TrustAnchors;
}

export interface DoorContext {
  readonly options: DoorOptions;
  /** That in force now. */
  readonly trust: () => DoorTrust;
  readonly clients: Clients;
  readonly sessions: Sessions;
  readonly log: Logger;
  /** The sockets that systemd handed to the process. */
  readonly activation?: Activation;
}

type Serve = (socket: net.Socket, arrival: Arrival) => void;
/** Waits until a connection may be served. */
type Spoke = (socket: net.Socket) => Promise<boolean>;

export class Door {
  /** Where it listens, in the order of the options. */
  readonly addresses: string[] = [];
  readonly #context: DoorContext;
  readonly #arrivals: Arrivals;
  readonly #proxyHeaders: ProxyHeaders;
  readonly #turns = new Turns();
  readonly #http: HttpDoor;
  readonly #tls: tls.Server;
  readonly #listeners: Listener[] = [];

  constructor(context: DoorContext) {
    const { options, clients, sessions, log } = context;
    const { handshakeTimeoutMs, maxHandshakes, congestion, acceptProxyProtocol, wsPath } = options;
    this.#context = context;
    this.#arrivals = new Arrivals({ handshakeTimeoutMs, maxHandshakes, congestion, log });
    this.#proxyHeaders = new ProxyHeaders({ from: acceptProxyProtocol, log });
    const turns = this.#turns;
    this.#http = new HttpDoor({ wsPath, clients, sessions, innerTls: () => innerTls(context.trust()), turns, log });
    this.#tls = tls.createServer({ ...portTls(context.trust()), handshakeTimeout: handshakeTimeoutMs });
    this.#tls.on('secureConnection', (socket) => this.#secured(socket, this.#arrivals.of(socket)));
    this.#tls.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
      const remote = this.#arrivals.of(socket)?.remote ?? socket.remoteAddress;
      this.#handshakeFailed(remote, error.code ?? error.message);
      socket.destroy();
    });
  }

  /** Opens the listeners. Rejects with LISTEN_FAILED or ACTIVATION_INVALID. */
  async open(): Promise<void> {
    const { options, activation } = this.#context;
    const addresses = [...options.listen, ...options.listenHttp].map(({ listen: at }) => at);
    checkActivation(activation, addresses);
    for (const at of options.listen) await this.#listen(at, (socket, arrival) => this.#secure(socket, arrival));
    for (const at of options.listenHttp)
      await this.#listen(at, (socket, arrival) => this.#http.accept(socket, { arrival }), { http: true });
  }

  /** Uses another certificate and other CAs for the next handshakes of the port. */
  reload(trust: DoorTrust): void {
    this.#tls.setSecureContext(portTls(trust));
  }

  /** Stops accepting. */
  async shut(): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener.close()));
  }

  /** Stops accepting, and cuts every connection that has not proven an identity. */
  close(): void {
    void this.shut();
    this.#arrivals.close();
  }

  async #listen(
    { listen: at, acceptProxy }: ListenSpec,
    serve: Serve,
    facts: { readonly http?: true } = {},
  ): Promise<void> {
    const { log, activation } = this.#context;
    const accept = (socket: net.Socket): void => {
      // until the handshake is done: a peer that leaves in the middle of it must not hold its place
      socket.allowHalfOpen = false;
      const announced = acceptProxy === true || this.#proxyHeaders.expected(socket);
      const arrival = this.#arrivals.accept(socket, { announced });
      const spoke = facts.http ? heard : stirred;
      if (arrival) void this.#receive(arrival, { announced, always: acceptProxy === true, spoke }, serve);
    };
    const listener = await listen(at, accept, {
      pauseOnConnect: false,
      ...(activation && { sockets: activation.sockets }),
      onTrouble: (reason) => log.warn({ event: 'failed', code: 'OVERLOAD', reason }),
    });
    this.#listeners.push(listener);
    this.addresses.push(listener.address);
    log.info({ event: 'listening', address: listener.address, ...facts }, 'listening');
  }

  /** Reads the PROXY header, if there is one; then, after the first byte, waits for its turn. Never rejects. */
  async #receive(
    arrival: Arrival,
    expected: { readonly announced: boolean; readonly always: boolean; readonly spoke: Spoke },
    serve: Serve,
  ): Promise<void> {
    const { socket } = arrival;
    if (expected.announced) {
      const named = await this.#proxyHeaders.read(arrival, expected);
      if (!named) return;
      if (named.client) arrival.named(named.client);
    }
    if (!(await expected.spoke(socket))) return;
    arrival.heard();
    socket.once(
      'close',
      this.#turns.take(arrival.source, () => serve(socket, arrival)),
    );
  }

  /** Begins TLS. Connections over a Unix socket have no addresses to be found by: each gets a TLS server of its own. */
  #secure(socket: net.Socket, arrival: Arrival): void {
    if (!arrival.unix) {
      this.#tls.emit('connection', socket);
      return;
    }
    acceptInnerTls(socket, portTls(this.#context.trust()), this.#context.options.handshakeTimeoutMs).then(
      (secure) => this.#secured(secure, arrival),
      (error: unknown) => {
        if (!(error instanceof AditError)) throw error;
        this.#handshakeFailed(arrival.remote, error.message);
      },
    );
  }

  /** TLS is up: frames or HTTP, as the client chose by ALPN (RFC 7301); one that chose nothing speaks HTTP. */
  #secured(socket: tls.TLSSocket, arrival: Arrival | undefined): void {
    socket.on('error', () => {
      /* arrives at its owner with `close` */
    });
    socket.allowHalfOpen = true;
    if (!arrival) socket.destroy();
    else if (socket.alpnProtocol === alpn)
      void attach(arrival, { kind: 'tls', duplex: socket, proof: socket }, this.#context);
    else this.#http.accept(socket, { arrival, proof: socket });
  }

  #handshakeFailed(remote: string | undefined, reason: string): void {
    this.#context.log.debug({ event: 'handshake', remote, reason }, 'TLS handshake failed');
  }
}

/** For the handshake inside a WebSocket. */
function innerTls({ credentials, anchors }: DoorTrust): tls.TlsOptions {
  return serverOptions(credentials, anchors);
}

/** For the port: one TLS for all that is spoken on it. */
function portTls(trust: DoorTrust): tls.TlsOptions {
  return { ...innerTls(trust), ALPNProtocols: [alpn, 'h2', 'http/1.1'] };
}
