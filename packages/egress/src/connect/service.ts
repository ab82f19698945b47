/**
 * The egress as a standard proxy: CONNECT over HTTP/1.1 and HTTP/2 for clients that have a certificate and no ingress.
 * Rule: every CONNECT is a stream like those of a session: same policy, limits, dialling and record, ended by the same
 * reloads, revocations and drain. Who has no identity, or none that the policy knows, is told so once, and the
 * connection closes. A stream's place is held until its connection is gone, not only until it is over: a client that
 * does not read the rest keeps it.
 * Not here: resumption. What breaks is reset.
 */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type http2 from 'node:http2';
import type net from 'node:net';
import type { Duplex } from 'node:stream';
import type tls from 'node:tls';
import { factsOf, judgeAgain, judgeClient, type PeerContext, type PeerIdentity } from '@adit/shared/identity/peer';
import type { AccessRecord } from '@adit/shared/observe/access-record';
import type { Logger } from '@adit/shared/observe/logger';
import type { Parsed } from '@adit/shared/protocol/address';
import type { Destination } from '@adit/shared/protocol/destination';
import type { ConnectionStream } from '@adit/shared/stream/connection-stream';
import type { Services } from '../backend/services.ts';
import type { Full, Lease, Limits } from '../limits.ts';
import type { Policy } from '../policy/policy.ts';
import { ServedStream, type Asked } from '../stream.ts';
import { hopsOf } from '../via-header.ts';
import { http1Stream, readHttp1, refuseHttp1 } from './http1.ts';
import { endHttp2, http2Stream, readHttp2, refuseHttp2, serveHttp2 } from './http2.ts';

/** What an HTTP request that is no CONNECT is told. */
export interface PlainAnswer {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface ConnectContext {
  readonly options: { readonly dialTimeoutMs: number; readonly idleTimeoutMs: number };
  readonly limits: Limits;
  readonly policy: () => Policy;
  readonly services: Services;
  readonly peers: () => PeerContext;
  readonly draining: () => boolean;
  readonly log: Logger;
  readonly record: (record: AccessRecord) => void;
}

/** Who asks: a connection of the port. */
export interface ConnectPeer {
  readonly remote: string;
  /** The TCP socket below. */
  readonly transport: net.Socket;
  /** The TLS socket whose handshake proves who it is; absent where somebody else ended the TLS. */
  readonly proof?: tls.TLSSocket;
  /** It is somebody: the deadline and the count of those that are not are over for it. */
  readonly proven: () => void;
}

/** A connection of somebody who may ask. */
interface Client {
  readonly name: string;
  readonly identity: PeerIdentity;
  readonly remote: string;
  readonly streams: Set<ServedStream>;
  /** No new streams; the connection ends with its last one. */
  readonly leave: () => void;
}

const keepAliveMs = 60_000;

export class ConnectService {
  readonly #context: ConnectContext;
  readonly #clients = new Set<Client>();
  /** Connections, and streams of HTTP/2, that carry or carried a tunnel and are not closed yet. */
  readonly #open = new Set<Duplex>();
  #emptied: (() => void) | undefined;

  constructor(context: ConnectContext) {
    this.#context = context;
  }

  /** Answers a CONNECT of HTTP/1.1; the connection is the tunnel from then on. */
  http1(request: IncomingMessage, head: Buffer, peer: ConnectPeer): void {
    const asked = readHttp1(request);
    const who = this.#judge(peer);
    if ('code' in who) {
      this.#denied(peer, who);
      refuseHttp1(peer.proof ?? request.socket, who);
    } else if (!asked.ok) {
      refuseHttp1(who.proof, { code: 'PROTOCOL_ERROR', reason: asked.reason, badRequest: 400 });
    } else {
      this.#proven(peer);
      const { proof: socket } = who;
      const client = this.#client(peer, who.identity, () => {
        /* its one stream is all there is to it */
      });
      socket.once('close', () => this.#clients.delete(client));
      this.#serve(client, http1Stream({ socket, transport: peer.transport, head }), {
        asked: { destination: asked.value, hops: hopsOf(request.headers.via) },
        duplex: socket,
      });
    }
  }

  /** Speaks HTTP/2 on a connection; `plain` answers what is no CONNECT. */
  http2(
    peer: ConnectPeer & { readonly proof: tls.TLSSocket },
    plain: (method: string, path: string) => PlainAnswer,
  ): void {
    const who = this.#judge(peer);
    const lease = 'code' in who ? who : this.#context.limits.session(who.identity.uri);
    const session = serveHttp2(peer.proof);
    const client =
      'code' in who || 'code' in lease ? undefined : this.#http2Client(peer, who.identity, { session, lease });
    session.on('stream', (stream, headers) => {
      if (headers[':method'] !== 'CONNECT') endHttp2(stream, plain(headers[':method'] ?? '', headers[':path'] ?? ''));
      else if (client) this.#http2Stream(client, stream, headers);
      else if ('code' in lease) {
        this.#denied(peer, lease);
        refuseHttp2(stream, lease);
        session.close();
      }
    });
  }

  /**
   * The policy changed: end the connections of those whom it no longer knows, and the streams that it no longer allows.
   */
  recheckPolicy(): void {
    for (const client of [...this.#clients]) {
      const stranger = this.#stranger(client.identity);
      if (stranger) this.#turnAway(client, stranger);
      else for (const stream of [...client.streams]) stream.recheck();
    }
  }

  /** The revocation list changed, or time passed: end what belongs to a certificate that no longer holds. */
  recheckIdentities(context: PeerContext): void {
    for (const client of [...this.#clients]) {
      const refused = judgeAgain(client.identity, context);
      if (refused && refused.code !== 'REVOCATION_STALE') this.#turnAway(client, refused);
    }
  }

  /** No new streams; resolves when the last connection that carries one is closed. */
  drain(): Promise<void> {
    for (const { leave } of [...this.#clients]) leave();
    return new Promise((resolve) => {
      this.#emptied = resolve;
      this.#checkEmpty();
    });
  }

  endAll(refusal: Full): void {
    for (const client of [...this.#clients]) this.#end(client, refusal);
    setImmediate(() => {
      for (const duplex of [...this.#open]) duplex.destroy();
    }); // after the resets
  }

  #http2Client(
    peer: ConnectPeer,
    identity: PeerIdentity,
    { session, lease }: { readonly session: http2.ServerHttp2Session; readonly lease: Lease },
  ): Client {
    const { log } = this.#context;
    this.#proven(peer);
    const client = this.#client(peer, identity, () => session.close());
    log.info(
      {
        event: 'connected',
        session: client.name,
        identity: identity.uri,
        remote: peer.remote,
        carrier: 'h2',
        resumed: false,
      },
      'HTTP/2 connection opened',
    );
    session.once('close', () => {
      this.#clients.delete(client);
      lease.release();
      log.info(
        { event: 'disconnected', session: client.name, identity: identity.uri, reason: 'the HTTP/2 connection closed' },
        'HTTP/2 connection closed',
      );
    });
    return client;
  }

  #http2Stream(client: Client, stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders): void {
    const asked: Parsed<Destination> = readHttp2(headers);
    if (headers[':protocol'] !== undefined)
      refuseHttp2(stream, { code: 'UNSUPPORTED', reason: 'this egress knows no extended CONNECT', badRequest: 501 });
    else if (!asked.ok) refuseHttp2(stream, { code: 'PROTOCOL_ERROR', reason: asked.reason, badRequest: 400 });
    else
      this.#serve(client, http2Stream(stream), {
        asked: { destination: asked.value, hops: hopsOf(headers.via) },
        duplex: stream,
      });
  }

  #serve(
    client: Client,
    stream: ConnectionStream,
    { asked, duplex }: { readonly asked: Asked; readonly duplex: Duplex },
  ): void {
    const { options, limits, policy, services, record } = this.#context;
    this.#open.add(duplex);
    duplex.once('close', () => {
      this.#open.delete(duplex);
      this.#checkEmpty();
    });
    const served: ServedStream = new ServedStream(
      stream,
      { ...asked, frontEnd: 'connect' },
      {
        ...options,
        sessionId: client.name,
        identity: client.identity,
        policy,
        services,
        remote: () => client.remote,
        record: (over) => record({ ...over, remote: client.remote }),
        admit: () => {
          const lease = limits.stream(client.identity.uri);
          return 'code' in lease
            ? lease
            : {
                release: () => {
                  whenClosed(duplex, () => lease.release());
                },
              };
        },
        ended: (over) => {
          client.streams.delete(over);
          this.#checkEmpty();
        },
      },
    );
    if (!stream.dead) client.streams.add(served);
  }

  /** Who it is, if it may ask at all. */
  #judge({ proof }: ConnectPeer): { readonly identity: PeerIdentity; readonly proof: tls.TLSSocket } | Full {
    const { peers, draining } = this.#context;
    if (proof === undefined)
      return {
        code: 'CLIENT_CERT_MISSING',
        reason: 'CONNECT needs a TLS connection to the egress itself, with a client certificate',
      };
    const verdict = judgeClient(factsOf(proof), peers());
    if (!verdict.ok) return verdict;
    if (draining()) return { code: 'DRAINING', reason: 'the egress is shutting down' };
    return this.#stranger(verdict.identity) ?? { identity: verdict.identity, proof };
  }

  #stranger(identity: PeerIdentity): Full | undefined {
    return this.#context.policy().knows(identity)
      ? undefined
      : { code: 'IDENTITY_NOT_IN_POLICY', reason: `no rule names ${identity.uri} or its groups` };
  }

  #turnAway(client: Client, refused: Full): void {
    this.#context.log.warn(
      {
        event: 'denied',
        session: client.name,
        identity: client.identity.uri,
        code: refused.code,
        reason: refused.reason,
      },
      'connection ended',
    );
    this.#end(client, refused);
  }

  #client({ remote }: ConnectPeer, identity: PeerIdentity, leave: () => void): Client {
    const client = { name: randomBytes(6).toString('hex'), identity, remote, streams: new Set<ServedStream>(), leave };
    this.#clients.add(client);
    return client;
  }

  #proven({ transport, proven }: ConnectPeer): void {
    proven();
    transport.setKeepAlive(true, keepAliveMs); // there is no ping here: a peer that vanished is found by TCP
  }

  #denied({ remote }: ConnectPeer, { code, reason }: Full): void {
    this.#context.log.warn({ event: 'denied', remote, code, reason }, 'refused');
  }

  #end(client: Client, { code, reason }: Full): void {
    for (const stream of [...client.streams]) stream.abort(code, reason);
    client.leave();
  }

  #checkEmpty(): void {
    if (!this.#emptied || this.#open.size > 0) return;
    for (const { streams } of this.#clients) if (streams.size > 0) return;
    this.#emptied();
  }
}

function whenClosed(duplex: Duplex, act: () => void): void {
  if (duplex.closed) act();
  else duplex.once('close', act);
}
