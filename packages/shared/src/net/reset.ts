/**
 * Resets a TLS connection by resetting the TCP connection below it, so that the peer cannot take a cut for an end.
 * Rule: both sockets are gone afterwards, whatever state they were in. TLS itself has no reset, and Node shows its end
 * and the end of TCP as the same.
 */
import type net from 'node:net';
import tls from 'node:tls';

const patienceMs = 1_000;

/**
 * `transport` is the socket that the TLS socket was made over. If that is not a TCP socket (TLS within TLS), the end is
 * as abrupt as possible.
 */
export function resetTls(secure: tls.TLSSocket, transport: net.Socket): void {
  // Never synchronously: if the handle below a TLS socket goes away within a callback of its handshake, the process
  // crashes (Node 26).
  const reset = (): void => {
    setImmediate(() => resetBelow(secure, transport));
  };
  // A handle cannot be reset while its FIN is on the way to the kernel. If that never gets there, the socket is closed.
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
