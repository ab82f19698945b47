/**
 * Tells whether the peer ended its half of a connection in order, where Node shows a cut as an end too.
 * Rule: an end counts only if it was seen to be in order. If Node changes what this relies on, ends become resets,
 * which the tests notice; cuts do not become ends.
 * It relies on this (Node 24 to 26): the end of a readable is a `push(null)`, called on the instance.
 *   HTTP/2: the stream is not closed when END_STREAM is pushed. RST_STREAM, GOAWAY and the end of the connection close
 *   it first. After our own END_STREAM nothing else differs: RST_STREAM(NO_ERROR) leaves `rstCode` 0, `aborted` false.
 *   TLS: Node has no API for the shutdown state of OpenSSL. The end comes from close_notify while libuv still reads the
 *   TCP connection, or from a FIN, for which libuv has stopped reading. `readStart` of the handle tells which: EALREADY
 *   or success. The same holds for TLS in TLS, where the end below is that of the outer TLS.
 */
import type http2 from 'node:http2';
import type net from 'node:net';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import type tls from 'node:tls';

export interface PeerEnd {
  /** END_STREAM or close_notify arrived, and no cut before it. */
  readonly inOrder: boolean;
}

/** Watches a stream of HTTP/2. A stream that is cut is destroyed, also if nobody reads what came before. */
export function http2PeerEnd(stream: http2.Http2Stream): PeerEnd {
  const intact = (): boolean => !stream.closed && !stream.destroyed;
  // END_STREAM may be there before the watcher: in the HEADERS of the request, or long ago.
  const ended = stream.endAfterHeaders || stream.state.remoteClose === 1;
  return watch(stream, ended && intact(), () => {
    if (intact()) return true;
    setImmediate(() => stream.destroy());
    return false;
  });
}

/**
 * Watches a TLS connection. `transport` is the socket that the TLS socket was made over. Call it before anything is
 * awaited between a read and the use of the socket. Without TLS (both are the same socket) a FIN is an end.
 */
export function tlsPeerEnd(secure: tls.TLSSocket, transport: net.Socket): PeerEnd {
  if ((secure as net.Socket) === transport) return { inOrder: true };
  return watch(secure, false, () => closeNotified(secure, transport));
}

interface Handle {
  readonly reading?: boolean;
  readStart?(): number;
  readStop?(): number;
}

const alreadyReading = -constants.errno.EALREADY;

/** Asked at the moment of the end. */
function closeNotified(secure: tls.TLSSocket, transport: net.Socket): boolean {
  const below = handleOf(transport);
  if (below?.readStart === undefined) return false;
  const paused = handleOf(secure)?.reading === false; // bytes that were read before the pause still end it
  if (paused) below.readStart();
  const reading = below.readStart() === alreadyReading;
  if (paused) below.readStop?.();
  return reading;
}

function handleOf(socket: net.Socket): Handle | null | undefined {
  return (socket as unknown as { readonly _handle?: Handle | null })._handle;
}

/** `ended`: the end was read before, in order. `judge` is asked at the first end. */
function watch(readable: Readable, ended: boolean, judge: () => boolean): PeerEnd {
  const end = { inOrder: ended };
  let judged = ended;
  const push = readable.push.bind(readable);
  readable.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
    if (chunk === null && !judged) {
      judged = true;
      end.inOrder = judge();
    }
    return push(chunk, encoding);
  };
  return end;
}
