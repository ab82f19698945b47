/**
 * A reset of a TLS connection: the TCP connection below it is reset, so that the peer cannot take a cut for an end.
 * Rule: both sockets are gone afterwards, whatever they were at. TLS has no reset of its own, and Node shows its end
 * and that of TCP as the same.
 */
import type net from 'node:net';
import tls from 'node:tls';

const patienceMs = 1_000;

/**
 * `transport` is what the TLS socket was made over; where that is no TCP socket (TLS within TLS), the end is as abrupt
 * as it can be.
 */
export function resetTls(secure: tls.TLSSocket, transport: net.Socket): void {
  // Never at once: a TLS socket whose handle goes away below it within a callback of its own handshake takes the
  // process with it (Node 26).
  const reset = (): void => {
    setImmediate(() => resetBelow(secure, transport));
  };
  // While its FIN is on the way to the kernel a handle cannot be reset. One that never gets there is closed.
  if (!secure.writableEnded || secure.writableFinished || secure.writableLength > 0) {
    reset();
    return;
  }
  const timer = setTimeout(() => secure.destroy(), patienceMs).unref();
  secure.once('finish', reset).once('close', () => clearTimeout(timer));
}

function resetBelow(secure: tls.TLSSocket, transport: net.Socket): void {
  if (transport.closed) secure.destroy();
  else transport.once('close', () => secure.destroy());
  if (transport instanceof tls.TLSSocket) transport.destroy();
  else if (!transport.destroyed) transport.resetAndDestroy();
}
