/**
 * Sends the end of an HTTP/2 stream only where it is meant.
 * Rule: a stream that is closed with an error sends RST_STREAM without END_STREAM before it. Node sends both, so that a
 * cut looks like an end to a peer that reads in order. A stream that waits for trailers does not send END_STREAM; it
 * ends in order by sending no trailers. Open or answer the stream with `waitForTrailers: true`.
 */
import http2 from 'node:http2';

export function endOnlyInOrder(stream: http2.Http2Stream): void {
  stream.on('wantTrailers', () => {
    if (!stream.closed && !stream.destroyed) stream.sendTrailers({});
  });
}

/** Resets a stream, or destroys one that the peer has closed: Node may not, while our own writes wait. */
export function resetHttp2(stream: http2.Http2Stream): void {
  if (stream.closed) stream.destroy();
  else stream.close(http2.constants.NGHTTP2_CONNECT_ERROR);
}
