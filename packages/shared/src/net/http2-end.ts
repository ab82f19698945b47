/**
 * The end of a stream of HTTP/2, said only where it is meant.
 * Rule: a stream that is closed with an error sends RST_STREAM and no END_STREAM before it. Node sends both, which
 * makes a cut look like an end to whoever reads in order; a stream that waits for trailers does not, and ends by
 * sending none. Opened or answered with `waitForTrailers: true`.
 */
import type http2 from 'node:http2';

export function endOnlyInOrder(stream: http2.Http2Stream): void {
  stream.on('wantTrailers', () => {
    if (!stream.closed && !stream.destroyed) stream.sendTrailers({});
  });
}
