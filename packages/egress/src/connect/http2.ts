/**
 * CONNECT of HTTP/2 (RFC 9113 section 8.5): what is asked, and one stream of the connection as a stream of ours.
 * Rule: END_STREAM is a half-close, RST_STREAM(CONNECT_ERROR) a reset, both ways; a stream that was reset is never told
 * as ended. Windows are large enough for a link of 100 MB/s and 10 ms, and bounded: see `settings`.
 */
import http2 from 'node:http2';
import type net from 'node:net';
import { codeOfWire, wireOfCode } from '@adit/shared/errors';
import { endOnlyInOrder } from '@adit/shared/net/http2-end';
import type { Parsed } from '@adit/shared/protocol/address';
import type { Destination } from '@adit/shared/protocol/destination';
import { ConnectionStream } from '@adit/shared/stream/connection-stream';
import { denialAnswer, proxyName, type ConnectDenial } from './answer.ts';
import { namesTarget, parseTarget } from './target.ts';

const maxHeaderBytes = 16_384;
const streamWindowBytes = 1_048_576;
const connectionWindowBytes = 16_777_216;
/** Of what Node keeps for one connection, MB: the window of the connection, and what waits to be sent. */
const maxSessionMemoryMb = 64;
const { NGHTTP2_CONNECT_ERROR, NGHTTP2_NO_ERROR } = http2.constants;

/** Speaks HTTP/2 on a connection whose TLS is up. */
export function serveHttp2(socket: net.Socket): http2.ServerHttp2Session {
  socket.allowHalfOpen = false; // half-closes are of streams: a client whose connection ended is gone
  const session = http2.performServerHandshake(socket, {
    maxSessionMemory: maxSessionMemoryMb,
    maxHeaderListPairs: 64,
    settings: {
      initialWindowSize: streamWindowBytes,
      maxFrameSize: 65_536,
      maxConcurrentStreams: 256,
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
  return new ConnectionStream(stream, {
    id: stream.id ?? 0,
    accept: () => {
      if (!stream.destroyed && !stream.closed)
        stream.respond({ ':status': 200, 'proxy-status': proxyName }, { waitForTrailers: true });
    },
    refuse: ({ code, reason }) => refuseHttp2(stream, { code: codeOfWire(code), reason }),
    reset: () => stream.close(NGHTTP2_CONNECT_ERROR),
    died: () => ({
      code: wireOfCode(stream.rstCode === NGHTTP2_CONNECT_ERROR ? 'CONNECTION_RESET' : 'PEER_GONE'),
      reason: stream.session?.destroyed !== false ? 'the client broke the connection' : 'the client reset the stream',
    }),
    truncated: () => stream.aborted,
  });
}

/** Answers no; what the client still sends is thrown away. */
export function refuseHttp2(stream: http2.ServerHttp2Stream, denial: ConnectDenial): void {
  const { status, headers, text } = denialAnswer(denial);
  endHttp2(stream, { status, headers, text });
}

/** One whole answer of HTTP/2. */
export function endHttp2(
  stream: http2.ServerHttp2Stream,
  {
    status,
    headers,
    text,
  }: { readonly status: number; readonly headers: Readonly<Record<string, string | number>>; readonly text: string },
): void {
  if (stream.destroyed || stream.closed) return;
  stream
    .on('error', () => {
      /* the client left: nobody reads the answer */
    })
    .resume();
  stream.respond({ ':status': status, ...headers, 'content-length': Buffer.byteLength(text) });
  stream.end(text, () => stream.close(NGHTTP2_NO_ERROR)); // RFC 9113 section 8.1: the rest of the request is not needed
}
