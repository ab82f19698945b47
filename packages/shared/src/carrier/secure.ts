/**
 * A TLS handshake as a client, over a connected duplex, under a deadline.
 * Rule: nothing is sent before the caller has judged the certificate. The socket has an `error` listener from birth,
 * and is destroyed when this fails.
 * Not here: whom to trust. OpenSSL's verification is on the socket (`authorized`), and the caller uses it.
 */
import type { Duplex } from 'node:stream';
import net from 'node:net';
import tls from 'node:tls';
import { AditError, messageOf, type Code } from '../errors.ts';
import { attempt } from '../net/attempt.ts';
import type { Deadline } from '../net/deadline.ts';

export interface SecureOptions {
  /** The name of the peer in errors: "the egress 203.0.113.7:8443". */
  readonly peer: string;
  /** The kind of the peer; default an egress. */
  readonly hop?: keyof typeof hops;
  /** A connected duplex, which the TLS socket then owns. */
  readonly to: Duplex;
  /** The name in SNI; an address sends none. */
  readonly serverName: string;
  readonly tls: Pick<
    tls.ConnectionOptions,
    'cert' | 'key' | 'ca' | 'minVersion' | 'maxVersion' | 'ALPNProtocols' | 'checkServerIdentity'
  >;
  readonly deadline: Deadline;
  readonly signal: AbortSignal;
}

interface Hop {
  readonly unreachable: Code;
  readonly timeout: Code;
  readonly expected: string;
}
const hops = {
  egress: { unreachable: 'EGRESS_UNREACHABLE', timeout: 'LINK_TIMEOUT', expected: 'an Adit egress' },
  proxy: { unreachable: 'PROXY_FAILED', timeout: 'PROXY_FAILED', expected: 'a proxy that speaks TLS' },
} as const satisfies Record<string, Hop>;

/**
 * Resolves when the handshake is done, whatever the certificate says. Rejects with EGRESS_UNREACHABLE or LINK_TIMEOUT;
 * PROXY_FAILED if the peer is a proxy.
 */
export function secure(options: SecureOptions): Promise<tls.TLSSocket> {
  const { peer, to, deadline, signal } = options;
  const { unreachable, timeout, expected } = hops[options.hop ?? 'egress'];
  const socket = tls.connect(connection(options));
  // Also after the handshake: an alert that comes then is the reason for the end.
  socket.on('error', (error: Error) => socket.destroy(error));
  socket.once('close', () => to.destroy());
  return attempt<tls.TLSSocket>(
    {
      deadline,
      signal,
      timedOut: () => new AditError(timeout, deadline.missed(`no TLS connection to ${peer}`)),
      aborted: () => new AditError(unreachable, `the connection to ${peer} was given up`),
      giveUp: () => socket.destroy(),
    },
    ({ succeed, fail }) => {
      socket
        .once('error', (error: NodeJS.ErrnoException) => fail(explain(error, { peer, unreachable, expected })))
        .once('close', () => fail(new AditError(unreachable, `${peer} closed the connection during the handshake`)))
        .once('secureConnect', () => succeed(socket));
    },
  );
}

function connection({ to, serverName, tls: settings }: SecureOptions): tls.ConnectionOptions {
  const halfOpen = { allowHalfOpen: true }; // an option of every socket, which the types of tls.connect leave out
  return {
    socket: to,
    host: serverName, // without SNI the certificate is compared with it
    ...(net.isIP(serverName) === 0 && { servername: serverName }),
    ...halfOpen,
    ...settings,
    rejectUnauthorized: false, // the caller judges, by the same verification
  };
}

interface Complaint extends Pick<Hop, 'unreachable' | 'expected'> {
  readonly peer: string;
}

function explain(error: NodeJS.ErrnoException, { peer, unreachable, expected }: Complaint): AditError {
  const code = error.code ?? '';
  const otherProtocol =
    code === 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL' ||
    code === 'ERR_SSL_WRONG_VERSION_NUMBER' ||
    code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG';
  if (otherProtocol)
    return new AditError(unreachable, `the server that answers as ${peer} is not ${expected} (${code})`, {
      cause: error,
    });
  return new AditError(unreachable, `cannot reach ${peer} (${code || messageOf(error)})`, { cause: error });
}
