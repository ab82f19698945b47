/**
 * Dials an egress over a WebSocket, in one of two forms. *Direct*: the outer TLS is mutual, with our CA, and the
 * WebSocket is inside it. *Inner TLS*: an intermediary ends the outer TLS, which is verified against the roots of the
 * system; mutual TLS with our CA runs inside the WebSocket.
 * Rule: in both forms the egress proves a certificate of our CA in TLS 1.3 before a frame is sent. Each handshake uses
 * one set of roots only, so that a root of the system can never vouch for an egress. A known intermediary is not
 * offered our certificate.
 */
import type net from 'node:net';
import type tls from 'node:tls';
import { AditError } from '../errors.ts';
import { factsOf } from '../identity/peer.ts';
import type { TrustAnchors } from '../identity/trust.ts';
import type { Deadline } from '../net/deadline.ts';
import { Patience } from '../net/patience.ts';
import { controlTcp, type TcpControl } from '../net/tcp-control.ts';
import { formatHostPort } from '../protocol/destination.ts';
import type { Carrier } from './contract.ts';
import { openRoute } from './route.ts';
import { secure } from './secure.ts';
import { systemRoots } from './system-roots.ts';
import { alpn, carrierOf, StrangerError, throughProxy, trusted, type DialTlsOptions } from './tls.ts';
import { upgrade } from './websocket-client.ts';
import type { WebSocketDuplex } from './websocket-duplex.ts';

export interface DialWebSocketOptions extends DialTlsOptions {
  readonly path: string;
  /** What complaints about a certificate call the egress: what the user wrote. Default: the URL of the WebSocket. */
  readonly called?: string;
  /** Sent with the upgrade request, for an intermediary in front of the egress. */
  readonly headers: Readonly<Record<string, string>>;
  /** Roots for the outer TLS, beside those of the system. */
  readonly outerCa?: TrustAnchors;
  /** The form that worked the last time; it is tried first. */
  readonly form?: WebSocketForm;
}

export type WebSocketForm = 'websocket' | 'websocket+tls';

interface Outer {
  readonly socket: tls.TLSSocket;
  readonly tcp: TcpControl | undefined;
}

interface Dial extends DialWebSocketOptions {
  /** The URL. */
  readonly name: string;
  readonly called: string;
  readonly deadline: Deadline;
}

/**
 * Rejects with EGRESS_UNREACHABLE, EGRESS_CERT_INVALID, REVOCATION_STALE, LINK_LOST, LINK_TIMEOUT, or as openRoute
 * does for the proxy.
 */
export async function dialWebSocket(options: DialWebSocketOptions): Promise<Carrier> {
  const name = `wss://${authorityOf(options)}${options.path}`;
  const dial = {
    ...options,
    name,
    called: options.called ?? name,
    deadline: new Patience(options.deadlineMs),
  };
  if (options.form === 'websocket+tls') return dialInner(dial);
  let stranger: AditError;
  try {
    return await dialDirect(dial);
  } catch (error) {
    if (!(error instanceof AditError) || !(error instanceof StrangerError || onlyOlderTls(error))) throw error;
    stranger = error;
  }
  return dialInner(dial, stranger);
}

async function dialDirect(dial: Dial): Promise<Carrier> {
  const { name, called, credentials, ca } = dial;
  const { socket, tcp } = await outer(dial, {
    cert: credentials.certPem,
    key: credentials.keyPem,
    ca: [...ca.pem],
    minVersion: 'TLSv1.3',
    checkServerIdentity: judgedBelow,
  });
  trusted(socket, called, dial);
  const duplex = await open(dial, socket);
  return carrierOf({ kind: 'websocket', duplex, proof: socket, remote: name, via: dial.proxy, tcp });
}

async function dialInner(dial: Dial, stranger?: AditError): Promise<Carrier> {
  const { name, called, credentials, ca, serverName, deadline, signal, outerCa } = dial;
  const { socket, tcp } = await outer(dial, { ca: [...systemRoots(), ...(outerCa?.pem ?? [])], minVersion: 'TLSv1.2' });
  const intermediary = acceptedIntermediary(socket, dial, stranger);
  const duplex = await open({ ...dial, name: `${name}, where ${intermediary} ends TLS,` }, socket);
  const proof = await secure({
    peer: `the egress behind ${name}`,
    to: duplex,
    serverName,
    deadline,
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
  trusted(proof, called, dial);
  return {
    ...carrierOf({ kind: 'websocket+tls', duplex: proof, proof, remote: name, via: dial.proxy, tcp }),
    intermediary,
  };
}

/** Who issued the certificate of the outer TLS. Throws EGRESS_CERT_INVALID if this system does not trust it. */
function acceptedIntermediary(socket: tls.TLSSocket, { called, host }: Dial, stranger: AditError | undefined): string {
  const { authorized, authorizationError = 'no reason given', leaf } = factsOf(socket);
  const intermediary = leaf?.issuer.replace(/[^\x20-\x7e]+/g, ', ').slice(0, 300) ?? 'nobody';
  if (authorized) return intermediary;
  socket.destroy();
  const fault =
    authorizationError === 'ERR_TLS_CERT_ALTNAME_INVALID'
      ? `it is not for ${host}`
      : 'this system does not trust it either';
  throw new AditError(
    'EGRESS_CERT_INVALID',
    `the server that answers as ${called} has a certificate issued by ${intermediary}: ` +
      `that is not our CA, and ${fault} (${authorizationError})`,
    {
      cause: stranger,
      advice:
        'Give the CA that issued the certificate of the egress with --ca; if something on the way ends TLS, give ' +
        'the CA of that with --outer-ca.',
    },
  );
}

async function outer(dial: Dial, settings: tls.ConnectionOptions): Promise<Outer> {
  const { host, port, name, proxy, congestion = 'auto', deadline, signal } = dial;
  const peer = `${name}${throughProxy(proxy)}`;
  let tcp: TcpControl | undefined;
  const connected = (below: net.Socket): void => {
    tcp = controlTcp(below, congestion);
  };
  const socket = await secure({
    peer,
    to: await openRoute({ host, port }, { ...(proxy && { proxy }), deadline, signal, peer, connected }),
    serverName: host,
    tls: { ...settings, ALPNProtocols: ['http/1.1'] },
    deadline,
    signal,
  });
  return { socket, tcp };
}

function open(dial: Dial, over: tls.TLSSocket): Promise<WebSocketDuplex> {
  const { path, headers, name, deadline, signal } = dial;
  return upgrade({
    over,
    authority: authorityOf(dial),
    path,
    headers,
    peer: name,
    deadline,
    signal,
  });
}

/**
 * A peer without TLS 1.3 is not the egress and may be an intermediary: by default nginx before 1.23.4 and many load
 * balancers have none.
 */
function onlyOlderTls({ cause }: AditError): boolean {
  return olderTls.has((cause as NodeJS.ErrnoException | undefined)?.code ?? '');
}

const olderTls = new Set([
  'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
  'ERR_SSL_UNSUPPORTED_PROTOCOL',
  'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE',
]);

/** As in a URL: without the port of https. */
function authorityOf({ host, port }: Pick<Dial, 'host' | 'port'>): string {
  if (port !== 443) return formatHostPort(host, port);
  return host.includes(':') ? `[${host}]` : host;
}

/** `trusted` compares the certificate of an egress with --server-name, which is not the host in SNI. */
function judgedBelow(): undefined {
  return undefined;
}
