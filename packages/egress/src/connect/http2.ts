/**
 * CONNECT of HTTP/2 (RFC 9113 section 8.5): the connection as a client, and each CONNECT on it as one of its streams.
 * Rule: END_STREAM is a half-close, RST_STREAM(CONNECT_ERROR) a reset, both ways; a stream that was reset is never told
 * as ended. Windows are large enough for a link of 100 MB/s and 10 ms, and bounded: see `settings`.
 */
import type { PeerIdentity } from '@adit/shared/identity/peer';
import http2 from 'node:http2';
import type net from 'node:net';
import type tls from 'node:tls';
import { codeOfWire, type Refusal, wireOfCode } from '@adit/shared/errors';
import { endOnlyInOrder, resetHttp2 } from '@adit/shared/net/http2-end';
import { http2PeerEnd } from '@adit/shared/net/peer-end';
import type { Parsed } from '@adit/shared/protocol/address';
import type { Destination } from '@adit/shared/protocol/destination';
import { ConnectionStream } from '@adit/shared/stream/connection-stream';
import type { NotAdmitted } from '../clients/admit.ts';
import { Client, type Way } from '../clients/client.ts';
import type { Clients } from '../clients/clients.ts';
import type { Origin } from '../door/arrivals.ts';
import { hopsOf } from '../via-header.ts';
import { type BadRequest, proxyName, refusalAnswer } from './answer.ts';
import { admitCaller, callerDenied, joinCaller } from './caller.ts';
import { namesTarget, parseTarget } from './target.ts';

const maxHeaderBytes = 16_384;
const streamWindowBytes = 1_048_576;
const connectionWindowBytes = 16_777_216;
/** What Node may keep for one connection, MB: the window of the connection, and what waits to be sent. */
const maxSessionMemoryMb = 64;
/**
 * The same for a peer without an identity, which may ask for /healthz: without these bounds one such connection holds
 * 4.4 MiB of answers that it does not read.
 */
const stranger = { streams: 4, memoryMb: 1 } as const;
const { NGHTTP2_CONNECT_ERROR, NGHTTP2_NO_ERROR } = http2.constants;

/** The answer to an HTTP request that is no CONNECT. */
export interface PlainAnswer {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Http2Context {
  readonly clients: Clients;
  /** Answers what is no CONNECT. */
  readonly plain: (method: string, path: string) => PlainAnswer;
}

/**
 * Speaks HTTP/2 on a connection whose TLS is up. A peer that is not admitted gets plain answers; its first CONNECT is
 * refused and closes the connection.
 */
export function serveHttp2(origin: Origin & { readonly proof: tls.TLSSocket }, { clients, plain }: Http2Context): void {
  const admitted = admitCaller(origin, clients);
  const session = http2Session(origin.proof, { known: admitted.refusal === undefined });
  const client = admitted.refusal ? admitted : clientOf(origin, { session, identity: admitted.identity }, clients);
  let denied = false;
  session.on('stream', (stream, headers) => {
    const method = headers[':method'] ?? '';
    if (method !== 'CONNECT')
      endHttp2(stream, { ...plain(method, headers[':path'] ?? ''), headersOnly: method === 'HEAD' });
    else if (client instanceof Client) connect(client, stream, headers);
    else {
      if (!denied) callerDenied(origin, client, clients);
      denied = true;
      refuseHttp2(stream, client.refusal);
      session.close();
    }
  });
}

/** The client that this connection is, with its place under the limits. */
function clientOf(
  origin: Origin,
  { session, identity }: { readonly session: http2.ServerHttp2Session; readonly identity: PeerIdentity },
  clients: Clients,
): Client | NotAdmitted {
  const place = clients.place(identity);
  if ('code' in place) return { identity, refusal: place };
  const way: Way = {
    // Node says GOAWAY once, and ignores what crosses it: the client is told that it may ask again, elsewhere
    leave: (_graceMs, left) => {
      session.close();
      left();
    },
  };
  const client = joinCaller(origin, { identity, way }, clients);
  client.connected({ carrier: 'h2', resumed: false });
  session.once('close', () => {
    place.release();
    client.left('the HTTP/2 connection closed');
  });
  return client;
}

function connect(client: Client, stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders): void {
  const asked = readHttp2(headers);
  if (headers[':protocol'] !== undefined)
    refuseHttp2(stream, { code: 'UNSUPPORTED', reason: 'this egress knows no extended CONNECT' }, 501);
  else if (!asked.ok) refuseHttp2(stream, { code: 'PROTOCOL_ERROR', reason: asked.reason }, 400);
  else
    client.serve(
      http2Stream(stream),
      { destination: asked.value, frontEnd: 'connect', hops: hopsOf(headers.via) },
      stream,
    );
}

/** HTTP/2 on a connection, with our settings; `known`: the peer has an identity. */
export function http2Session(socket: net.Socket, { known = true } = {}): http2.ServerHttp2Session {
  socket.allowHalfOpen = false; // only streams half-close: a client whose connection ended is gone
  const session = http2.performServerHandshake(socket, {
    maxSessionMemory: known ? maxSessionMemoryMb : stranger.memoryMb,
    maxHeaderListPairs: 64,
    settings: {
      initialWindowSize: streamWindowBytes,
      maxFrameSize: 65_536,
      maxConcurrentStreams: known ? 256 : stranger.streams,
      maxHeaderListSize: maxHeaderBytes,
      enablePush: false,
    },
  });
  session.setLocalWindowSize(connectionWindowBytes);
  session.on('error', () => {
    /* arrives with `close` */
  });
  return session;
}

/**
 * Where a CONNECT wants to go; the reason is for the client. nghttp2 has refused what has no :authority, or has :path
 * or :scheme.
 */
export function readHttp2(headers: http2.IncomingHttpHeaders): Parsed<Destination> {
  const target = headers[':authority'] ?? '';
  if (headers['content-length'] !== undefined) return { ok: false, reason: 'a CONNECT has no body' };
  if (headers.host !== undefined && !namesTarget(headers.host, target))
    return { ok: false, reason: 'host names something other than :authority' };
  return parseTarget(target);
}

/** One stream of the connection, which waits for its answer. */
export function http2Stream(stream: http2.ServerHttp2Stream): ConnectionStream {
  endOnlyInOrder(stream);
  const { session } = stream; // the stream forgets it when it is destroyed
  return new ConnectionStream(stream, {
    id: stream.id ?? 0,
    accept: () => {
      if (!stream.destroyed && !stream.closed)
        stream.respond({ ':status': 200, 'proxy-status': proxyName }, { waitForTrailers: true });
    },
    refuse: ({ code, reason }) => refuseHttp2(stream, { code: codeOfWire(code), reason }),
    reset: () => resetHttp2(stream),
    died: () => ({
      code: wireOfCode(stream.rstCode === NGHTTP2_CONNECT_ERROR ? 'CONNECTION_RESET' : 'PEER_GONE'),
      reason: session?.destroyed !== false ? 'the client broke the connection' : 'the client reset the stream',
    }),
    peerEnd: http2PeerEnd(stream),
  });
}

/** Sends a refusal; what the client still sends is thrown away. */
export function refuseHttp2(stream: http2.ServerHttp2Stream, refusal: Refusal, badRequest?: BadRequest): void {
  const { status, headers, text } = refusalAnswer(refusal, badRequest);
  endHttp2(stream, { status, headers, text });
}

interface WholeAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly text: string;
  /** For HEAD: `text` is not sent, only its length. */
  readonly headersOnly?: boolean;
}

/** One whole answer of HTTP/2. What the client still sends is thrown away (RFC 9113 section 8.1). */
export function endHttp2(
  stream: http2.ServerHttp2Stream,
  { status, headers, text, headersOnly = false }: WholeAnswer,
): void {
  if (stream.destroyed || stream.closed) return;
  stream
    .on('error', () => {
      /* the client is gone and reads no answer */
    })
    .resume();
  stream.respond(
    { ':status': status, ...headers, 'content-length': Buffer.byteLength(text) },
    { endStream: headersOnly },
  );
  // Not after headers alone: RST_STREAM overtakes those that are not sent yet.
  if (!headersOnly) stream.end(text, () => stream.close(NGHTTP2_NO_ERROR));
}
