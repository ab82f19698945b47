/**
 * The egress side of a TLS handshake inside a duplex, which an intermediary carries.
 * Rule: the options are those of the port itself: TLS 1.3, no tickets, the client is asked for its certificate and
 * judged afterwards.
 */
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import { AditError } from '../errors.ts';

/** The first byte of a TLS record that carries a handshake (RFC 8446 section 5.1). No frame of ours begins with it. */
export const handshakeByte = 0x16;

/**
 * Resolves when the handshake is done. Rejects with LINK_LOST or LINK_TIMEOUT. Duplex and socket die together.
 */
export function acceptInnerTls(duplex: Duplex, options: tls.TlsOptions, deadlineMs: number): Promise<tls.TLSSocket> {
  return new Promise((resolve, reject) => {
    const server = tls.createServer({ ...options, handshakeTimeout: deadlineMs });
    const fail = (error: NodeJS.ErrnoException): void => {
      duplex.destroy();
      reject(
        new AditError(
          error.code === 'ERR_TLS_HANDSHAKE_TIMEOUT' ? 'LINK_TIMEOUT' : 'LINK_LOST',
          `the TLS handshake inside the WebSocket failed (${error.code ?? error.message})`,
          { cause: error },
        ),
      );
    };
    server.once('tlsClientError', fail);
    server.once('secureConnection', (socket) => {
      socket.on('error', () => {
        /* `close` follows, and the owner handles that */
      });
      socket.once('close', () => duplex.destroy());
      duplex.off('end', ended).off('close', ended);
      resolve(socket);
    });
    const ended = (): void => fail(new Error('the WebSocket closed'));
    duplex.once('end', ended).once('close', ended);
    server.emit('connection', duplex);
  });
}
