/**
 * Dials an egress over a WebSocket, in one of two forms. *Direct*: the outer TLS is mutual, with our CA, and the
 * WebSocket is bytes inside it. *Inner TLS*: an intermediary ends the outer TLS, which is verified against the roots of
 * the system; mutual TLS with our CA runs inside.
 * Rule: either way the egress itself proves a certificate of our CA in TLS 1.3 before a frame is sent. A handshake has
 * one set of roots and no more: a root of the system can never vouch for an egress. What is known as an intermediary is
 * not offered our certificate.
 */
import type tls from 'node:tls';
import { AditError } from '../errors.ts';
import { factsOf } from '../identity/peer.ts';
import type { TrustAnchors } from '../identity/trust.ts';
import { formatHostPort } from '../protocol/destination.ts';
import type { Carrier } from './contract.ts';
import { routeTo } from './route.ts';
import { secure } from './secure.ts';
import { systemRoots } from './system-roots.ts';
import { alpn, carrierOf, StrangerError, throughProxy, trusted, type DialTlsOptions } from './tls.ts';
import { upgrade } from './websocket-client.ts';
import type { WebSocketDuplex } from './websocket-duplex.ts';

export interface DialWebSocketOptions extends DialTlsOptions {
  readonly path: string;
  /** Sent with the upgrade request, for what stands in front of the egress. */
  readonly headers: Readonly<Record<string, string>>;
  /** Roots for the outer TLS beside those of the system. */
  readonly outerCa?: TrustAnchors;
  /** What worked the last time: it is tried first. */
  readonly form?: WebSocketForm;
}

export type WebSocketForm = 'websocket' | 'websocket+tls';

interface Attempt extends DialWebSocketOptions {
  readonly name: string;
  readonly endsAtMs: number;
}

/**
 * Rejects with EGRESS_UNREACHABLE, EGRESS_CERT_INVALID, REVOCATION_STALE, LINK_LOST, LINK_TIMEOUT, or what openRoute
 * says of the proxy.
 */
export async function dialWebSocket(options: DialWebSocketOptions): Promise<Carrier> {
  const attempt = {
    ...options,
    name: `wss://${options.port === 443 ? bracketed(options.host) : formatHostPort(options.host, options.port)}${options.path}`,
    endsAtMs: performance.now() + options.deadlineMs,
  };
  if (options.form === 'websocket+tls') return dialInner(attempt);
  let stranger: AditError;
  try {
    return await dialDirect(attempt);
  } catch (error) {
    if (!(error instanceof AditError) || !(error instanceof StrangerError || onlyOlderTls(error))) throw error;
    stranger = error;
  }
  return dialInner(attempt, stranger);
}

async function dialDirect(attempt: Attempt): Promise<Carrier> {
  const { name, credentials, ca } = attempt;
  const socket = await outer(attempt, {
    cert: credentials.certPem,
    key: credentials.keyPem,
    ca: [...ca.pem],
    minVersion: 'TLSv1.3',
    checkServerIdentity: judgedBelow,
  });
  trusted(socket, name, attempt);
  const duplex = await open(attempt, socket);
  return carrierOf({ kind: 'websocket', duplex, proof: socket, remote: name, via: attempt.proxy });
}

async function dialInner(attempt: Attempt, stranger?: AditError): Promise<Carrier> {
  const { name, credentials, ca, serverName, signal, outerCa } = attempt;
  const socket = await outer(attempt, { ca: [...systemRoots(), ...(outerCa?.pem ?? [])], minVersion: 'TLSv1.2' });
  const { authorized, authorizationError = 'no reason given', leaf } = factsOf(socket);
  const intermediary = leaf?.issuer.replace(/[^\x20-\x7e]+/g, ', ').slice(0, 300) ?? 'nobody';
  if (!authorized) {
    socket.destroy();
    const fault =
      authorizationError === 'ERR_TLS_CERT_ALTNAME_INVALID'
        ? `it is not for ${attempt.host}`
        : 'this system does not trust it either';
    throw new AditError(
      'EGRESS_CERT_INVALID',
      `what answers as ${name} has a certificate issued by ${intermediary}: that is not our CA, and ${fault} ` +
        `(${authorizationError})`,
      { cause: stranger },
    );
  }
  const duplex = await open({ ...attempt, name: `${name}, where ${intermediary} ends TLS,` }, socket);
  const proof = await secure({
    peer: `the egress behind ${name}`,
    to: duplex,
    serverName,
    deadlineMs: left(attempt),
    signal,
    tls: {
      cert: credentials.certPem,
      key: credentials.keyPem,
      ca: [...ca.pem],
      minVersion: 'TLSv1.3',
      maxVersion: 'TLSv1.3',
      ALPNProtocols: [alpn],
    },
  });
  trusted(proof, name, attempt);
  return {
    ...carrierOf({ kind: 'websocket+tls', duplex: proof, proof, remote: name, via: attempt.proxy }),
    intermediary,
  };
}

async function outer(attempt: Attempt, settings: tls.ConnectionOptions): Promise<tls.TLSSocket> {
  const { host, port, name, signal } = attempt;
  const route = await routeTo({ host, port }, { ...attempt, deadlineMs: left(attempt) });
  return secure({
    peer: `${name}${throughProxy(attempt.proxy)}`,
    ...route,
    serverName: host,
    tls: { ...settings, ALPNProtocols: ['http/1.1'] },
    signal,
  });
}

function open(attempt: Attempt, over: tls.TLSSocket): Promise<WebSocketDuplex> {
  const { host, port, path, headers, name, signal } = attempt;
  return upgrade({
    over,
    authority: port === 443 ? bracketed(host) : formatHostPort(host, port),
    path,
    headers,
    peer: name,
    deadlineMs: left(attempt),
    signal,
  });
}

/**
 * What has no TLS 1.3 is not the egress, and may stand before it: nginx before 1.23.4 and many load balancers, as they
 * come.
 */
function onlyOlderTls({ cause }: AditError): boolean {
  return olderTls.has((cause as NodeJS.ErrnoException | undefined)?.code ?? '');
}

const olderTls = new Set([
  'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
  'ERR_SSL_UNSUPPORTED_PROTOCOL',
  'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE',
]);

function left({ endsAtMs }: Attempt): number {
  return Math.max(1, endsAtMs - performance.now());
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** The name in the certificate of an egress is --server-name's, not that of the host which is asked for by SNI. */
function judgedBelow(): undefined {
  return undefined;
}
