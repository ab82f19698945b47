/**
 * TLS that ends here: the bytes of the local client travel in the clear inside the tunnel.
 * Rule: the ClientHello is read first and answered last. Until the egress has dialled, the client is refused by an
 * alert in the clear: access_denied, internal_error, or no_application_protocol if it offers no protocol that the
 * service speaks. Then comes the handshake, with the certificate for the name in the ClientHello. An end counts as an
 * end with or without close_notify, because Node does not tell them apart. A reset is that of the TCP connection
 * below.
 * Not here: client certificates, choosing a destination by name (that is --sni).
 */
import type net from 'node:net';
import tls from 'node:tls';
import { AditError, messageOf } from '@adit/shared/errors';
import { attempt } from '@adit/shared/net/attempt';
import { Deadline } from '@adit/shared/net/deadline';
import { resetTls } from '@adit/shared/net/reset';
import { overTls, type RelaySocket } from '@adit/shared/net/sockets';
import { safeText } from '@adit/shared/observe/safe-text';
import { seconds } from '@adit/shared/observe/seconds';
import type { Destination } from '@adit/shared/protocol/destination';
import { alertFor, readGreeting, turnedAway } from './client-hello.ts';
import type { FrontEnd, SecureOptions } from './contract.ts';
import type { LocalCertificates } from './local-certificates.ts';

export interface TlsTerminationOptions {
  readonly destination: Destination;
  /** What the service speaks, in order of preference; empty: no protocol is negotiated, and HTTP is 1.1. */
  readonly alpn: readonly string[];
  /** Looked up for every client. */
  readonly certificates: () => LocalCertificates;
  readonly deadlineMs: number;
}

export function tlsTermination({ destination, certificates, alpn, deadlineMs }: TlsTerminationOptions): FrontEnd {
  return {
    async ask(client) {
      const greeting = await readGreeting(client, deadlineMs);
      if ('error' in greeting) return greeting;
      const { serverName, alpn: offered, hello } = greeting;
      const agreed = offered.length === 0 ? undefined : alpn.find((protocol) => offered.includes(protocol));
      if (!agreed && alpn.length > 0 && offered.length > 0)
        return turnedAway({
          code: 'CLIENT_UNSUPPORTED',
          reason: `it speaks ${safeText(offered.slice(0, 5).join(', '))}, and --tls-alpn says ${alpn.join(', ')}`,
          alert: 'noApplicationProtocol',
        });
      return {
        carry: 'secure',
        frontEnd: 'tls-termination',
        destination,
        ...(agreed !== undefined && { alpn: agreed }),
        refused: ({ code }) => alertFor(code),
        secure: (local, { signal }) =>
          accept(local, { hello, agreed, secureContext: certificates()(serverName), deadlineMs, signal }),
      };
    },
  };
}

interface AcceptOptions extends SecureOptions {
  readonly hello: Uint8Array;
  readonly agreed: string | undefined;
  readonly secureContext: tls.SecureContext;
  readonly deadlineMs: number;
}

/**
 * The handshake with a client whose ClientHello was read. Rejects with CLIENT_TLS_FAILED, CLIENT_TIMEOUT or PEER_GONE;
 * the socket is gone then.
 */
function accept(
  { socket, reads }: RelaySocket,
  { hello, agreed, secureContext, deadlineMs, signal }: AcceptOptions,
): Promise<RelaySocket> {
  putBack(socket, reads?.takeOver());
  putBack(socket, hello);
  const secure = new tls.TLSSocket(socket, {
    isServer: true,
    secureContext,
    ...(agreed !== undefined && { ALPNProtocols: [agreed] }),
  }).on('error', ignore);
  const deadline = new Deadline(deadlineMs);
  return attempt<RelaySocket>(
    {
      deadline,
      signal,
      timedOut: () =>
        new AditError(
          'CLIENT_TIMEOUT',
          `the TLS handshake with the client was not complete within ${seconds(deadline.totalMs)}`,
        ),
      aborted: () => new AditError('PEER_GONE', 'the service is gone'),
      // After an error its alert is on the way, which a reset could overtake.
      giveUp: () => (secure.errored ? secure.destroy() : resetTls(secure, socket)),
    },
    ({ succeed, fail }) => {
      const left = (): void =>
        fail(new AditError('CLIENT_TLS_FAILED', 'the client closed the connection in the TLS handshake'));
      secure
        .once('error', (error: Error) => fail(handshakeFailed(error)))
        .once('close', left)
        .once('end', left)
        .once('secure', () => succeed(overTls(secure, socket)));
    },
  );
}

function handshakeFailed(error: Error): AditError {
  return new AditError('CLIENT_TLS_FAILED', `the TLS handshake with the client failed: ${messageOf(error)}`, {
    cause: error,
  });
}

/** Makes these bytes the next ones that are read from the socket. */
function putBack(socket: net.Socket, bytes: Uint8Array | undefined): void {
  if (bytes && bytes.length > 0) socket.unshift(Buffer.from(bytes));
}

function ignore(): void {
  /* `close` follows, and the owner of the socket acts on that */
}
