/**
 * Mutual TLS 1.3 with our CA to a CONNECT proxy, on which HTTP is spoken and not frames.
 * Rule: as for every carrier, nothing is sent before the certificate of the far end is judged. The TCP connection below
 * is returned too, for a caller that has to reset it.
 */
import type net from 'node:net';
import type tls from 'node:tls';
import { AditError } from '../errors.ts';
import type { Credentials } from '../identity/credentials.ts';
import type { Deadline } from '../net/deadline.ts';
import { type Congestion, controlTcp } from '../net/tcp-control.ts';
import { formatHostPort, type HostPort } from '../protocol/destination.ts';
import { openRoute, type Proxy } from './route.ts';
import { secure } from './secure.ts';
import { trusted, type EgressTrust } from './tls.ts';

export interface DialProvenOptions extends EgressTrust, HostPort {
  readonly alpn: 'http/1.1' | 'h2';
  readonly credentials: Credentials;
  readonly proxy?: Proxy;
  /** Of the TCP connection; absent: that of the system, and nothing is bounded. */
  readonly congestion?: Congestion;
  /** Patience where the user waits for the connection; else what is left for something larger. */
  readonly deadline: Deadline;
  readonly signal: AbortSignal;
}

export interface ProvenConnection {
  readonly socket: tls.TLSSocket;
  readonly transport: net.Socket;
}

const keepAliveMs = 60_000;

/**
 * Rejects with EGRESS_UNREACHABLE, EGRESS_CERT_INVALID, REVOCATION_STALE, LINK_TIMEOUT, or as openRoute does for a
 * proxy on the way.
 */
export async function dialProven({ host, port, alpn, ...options }: DialProvenOptions): Promise<ProvenConnection> {
  const remote = formatHostPort(host, port);
  const peer = `the egress ${remote}`;
  const {
    credentials: { certPem, keyPem },
    ca,
  } = options;
  const { congestion } = options;
  const connected = (tcp: net.Socket): unknown => congestion && controlTcp(tcp, congestion);
  const transport = await openRoute({ host, port }, { ...options, peer, connected });
  const socket = await secure({
    ...options,
    to: transport,
    peer,
    tls: {
      cert: certPem,
      key: keyPem,
      ca: [...ca.pem],
      minVersion: 'TLSv1.3',
      maxVersion: 'TLSv1.3',
      ALPNProtocols: [alpn],
    },
  });
  trusted(socket, remote, options);
  transport.setKeepAlive(true, keepAliveMs); // TCP detects a proxy that vanished
  // Many HTTP/1.1 proxies do not support ALPN.
  if (socket.alpnProtocol === alpn || (alpn === 'http/1.1' && socket.alpnProtocol === false))
    return { socket, transport };
  socket.destroy();
  throw new AditError('EGRESS_UNREACHABLE', `what listens at ${remote} does not speak ${alpn}`);
}
