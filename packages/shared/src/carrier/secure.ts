/**
 * A TLS handshake as a client, over a new TCP connection or over any duplex, under a deadline.
 * Rule: nothing is sent before the caller has judged the certificate; the socket has an `error` listener from birth,
 * and is destroyed when this fails.
 * Not here: whom to believe. The verification of OpenSSL is on the socket (`authorized`), its use is the caller's.
 */
import type { Duplex } from 'node:stream';
import net from 'node:net';
import tls from 'node:tls';
import { AditError, messageOf, type Code } from '../errors.ts';
import { noteOutgoing } from '../net/outgoing.ts';

export interface SecureOptions {
  /** Who is dialled, for complaints: "the egress 203.0.113.7:8443". */
  readonly peer: string;
  /** What kind of peer that is; default an egress. */
  readonly hop?: keyof typeof hops;
  /** Where to connect, or what is connected already; a duplex is then owned by the TLS socket. */
  readonly to: { readonly host: string; readonly port: number } | Duplex;
  /** The name to ask for (SNI); an address asks for none. */
  readonly serverName: string;
  readonly tls: Pick<
    tls.ConnectionOptions,
    'cert' | 'key' | 'ca' | 'minVersion' | 'maxVersion' | 'ALPNProtocols' | 'checkServerIdentity'
  >;
  readonly deadlineMs: number;
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
 * PROXY_FAILED where the peer is a proxy.
 */
export function secure(options: SecureOptions): Promise<tls.TLSSocket> {
  const { peer, signal, deadlineMs } = options;
  const hop = hops[options.hop ?? 'egress'];
  return new Promise((resolve, reject) => {
    const socket = tls.connect(connection(options));
    const { to } = options;
    if ('port' in to) noteOutgoing(socket, to);
    else socket.once('close', () => to.destroy());
    const fail = (error: AditError): void => {
      settle();
      // also after the handshake: an alert that comes then is why it ends
      socket.destroy(error.cause instanceof Error ? error.cause : undefined);
      reject(error);
    };
    const settle = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', aborted);
    };
    const timer = setTimeout(
      () => fail(new AditError(hop.timeout, `no TLS connection to ${peer} within ${deadlineMs / 1000} s`)),
      deadlineMs,
    );
    const aborted = (): void => fail(new AditError(hop.unreachable, `the connection to ${peer} was given up`));
    signal.addEventListener('abort', aborted, { once: true });
    socket.on('error', (error: NodeJS.ErrnoException) => fail(explain(error, peer, hop)));
    socket.once('close', () =>
      fail(new AditError(hop.unreachable, `${peer} closed the connection during the handshake`)),
    );
    socket.once('secureConnect', () => {
      settle();
      resolve(socket);
    });
    if (signal.aborted) aborted();
  });
}

function connection({ to, serverName, tls: settings }: SecureOptions): tls.ConnectionOptions {
  const halfOpen = { allowHalfOpen: true }; // an option of every socket, which the types of tls.connect leave out
  return {
    ...('port' in to
      ? { host: to.host, port: to.port, autoSelectFamily: true, autoSelectFamilyAttemptTimeout: 250, noDelay: true }
      : // the host: the name that the certificate is held against, where no name is asked for
        { socket: to, host: serverName }),
    ...(net.isIP(serverName) === 0 && { servername: serverName }),
    ...halfOpen,
    ...settings,
    rejectUnauthorized: false, // the caller judges, on the same verification
  };
}

function explain(error: NodeJS.ErrnoException, peer: string, hop: Hop): AditError {
  const code = error.code ?? '';
  const foreign =
    code === 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL' ||
    code === 'ERR_SSL_WRONG_VERSION_NUMBER' ||
    code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG';
  if (foreign)
    return new AditError(hop.unreachable, `what answers as ${peer} is not ${hop.expected} (${code})`, { cause: error });
  return new AditError(hop.unreachable, `cannot reach ${peer} (${code || messageOf(error)})`, { cause: error });
}
