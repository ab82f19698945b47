/**
 * A carrier that is one TLS 1.3 connection, ALPN `adit/1`, with certificates on both sides.
 * Rule: TLS 1.3 only, and no tickets, because a resumed TLS session would skip the check of the chain. On the egress
 * the handshake always completes and the peer is judged afterwards (identity/peer.ts), so that a refusal can give its
 * reason.
 */
import { constants } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type net from 'node:net';
import type tls from 'node:tls';
import { AditError } from '../errors.ts';
import type { Credentials } from '../identity/credentials.ts';
import { factsOf, judgeEgress } from '../identity/peer.ts';
import type { RevocationList } from '../identity/revocation.ts';
import type { TrustAnchors } from '../identity/trust.ts';
import { Patience } from '../net/patience.ts';
import { type Congestion, controlTcp, type TcpControl } from '../net/tcp-control.ts';
import { formatHostPort, type HostPort } from '../protocol/destination.ts';
import { formatProxy } from '../protocol/proxy-address.ts';
import type { Carrier, CarrierKind } from './contract.ts';
import { openRoute, type Proxy } from './route.ts';
import { secure } from './secure.ts';

export const alpn = 'adit/1';

/** The TLS options of an egress listener; for `tls.createServer` and `setSecureContext`. */
export function serverOptions(credentials: Credentials, clientCa: TrustAnchors): tls.TlsOptions {
  return {
    cert: credentials.certPem,
    key: credentials.keyPem,
    ca: [...clientCa.pem],
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    requestCert: true,
    rejectUnauthorized: false,
    secureOptions: constants.SSL_OP_NO_TICKET,
    ALPNProtocols: [alpn],
    noDelay: true,
  };
}

/**
 * A carrier whose bytes go over `duplex` and whose ends were authenticated by the handshake of `proof`, below or above
 * it. `exportKey` throws LINK_LOST once the connection has closed.
 */
export function carrierOf({
  kind,
  duplex,
  proof,
  remote,
  via,
  tcp,
}: {
  readonly kind: CarrierKind;
  readonly duplex: Duplex;
  readonly proof: tls.TLSSocket;
  readonly remote: string;
  readonly via?: Proxy | undefined;
  readonly tcp?: TcpControl | undefined;
}): Carrier {
  const exportKey = (label: string, context: Buffer): Buffer => {
    if (proof.destroyed) throw new AditError('LINK_LOST', `the connection to ${remote} closed`);
    return proof.exportKeyingMaterial(32, label, context);
  };
  return { kind, duplex, remote, exportKey, ...(via && { via: formatProxy(via) }), ...(tcp && { tcp }) };
}

export interface DialTlsOptions extends EgressTrust, HostPort {
  readonly credentials: Credentials;
  /** The proxy to go through; absent: TCP connects directly. */
  readonly proxy?: Proxy;
  /** Of the TCP connection; default `auto`. */
  readonly congestion?: Congestion;
  /** So long without a byte from the other end, and `slowest` times as long in all. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

/**
 * Connects and verifies the egress. Rejects with EGRESS_UNREACHABLE, EGRESS_CERT_INVALID, REVOCATION_STALE,
 * LINK_TIMEOUT, or as openRoute does for the proxy.
 */
export async function dialTls({ host, port, deadlineMs, ...options }: DialTlsOptions): Promise<Carrier> {
  const remote = formatHostPort(host, port);
  const limited = { ...options, deadline: new Patience(deadlineMs) };
  const peer = `the egress ${remote}${throughProxy(options.proxy)}`;
  let tcp: TcpControl | undefined;
  const connected = (below: net.Socket): void => {
    tcp = controlTcp(below, options.congestion ?? 'auto');
  };
  const socket = await secure({
    ...limited,
    to: await openRoute({ host, port }, { ...limited, peer, connected }),
    peer,
    tls: {
      cert: options.credentials.certPem,
      key: options.credentials.keyPem,
      ca: [...options.ca.pem],
      minVersion: 'TLSv1.3',
      maxVersion: 'TLSv1.3',
      ALPNProtocols: [alpn],
    },
  });
  trusted(socket, remote, options);
  if (socket.alpnProtocol !== alpn)
    throw refused(
      socket,
      new AditError(
        'EGRESS_UNREACHABLE',
        `what listens at ${remote} is not an Adit egress (it does not speak ${alpn})`,
      ),
    );
  const carrier = carrierOf({ kind: 'tls', duplex: socket, proof: socket, remote, via: options.proxy, tcp });
  const { remoteAddress } = socket;
  return options.proxy || remoteAddress === undefined ? carrier : { ...carrier, address: remoteAddress };
}

/** For errors: empty, or " through the proxy http://proxy.example.org:3128". */
export function throughProxy(proxy: Proxy | undefined): string {
  return proxy ? ` through the proxy ${formatProxy(proxy)}` : '';
}

/** How the far end is verified: that it is an egress of ours, and the one that was meant. */
export interface EgressTrust {
  /** The name that the certificate of the egress must cover. */
  readonly serverName: string;
  readonly ca: TrustAnchors;
  readonly revocation?: RevocationList;
}

/** The certificate of the peer is from a CA that is not ours: it may be an intermediary and not the egress. */
export class StrangerError extends AditError {
  constructor(message: string, advice?: string) {
    super('EGRESS_CERT_INVALID', message, { advice });
  }
}

/**
 * Judges the egress after the handshake. Throws EGRESS_CERT_INVALID (StrangerError for an unknown CA) or
 * REVOCATION_STALE, and destroys the socket.
 */
export function trusted(socket: tls.TLSSocket, remote: string, { serverName, ca, revocation }: EgressTrust): void {
  const verdict = judgeEgress(factsOf(socket), {
    now: new Date(),
    anchors: ca,
    serverName,
    ...(revocation && { revocation }),
  });
  if (verdict.ok) return;
  const message = `the egress ${remote} cannot be trusted: ${verdict.reason}`;
  const { code, advice } = verdict;
  throw refused(
    socket,
    verdict.stranger ? new StrangerError(message, advice) : new AditError(code, message, { advice }),
  );
}

function refused(socket: tls.TLSSocket, error: AditError): AditError {
  socket.destroy();
  return error;
}
