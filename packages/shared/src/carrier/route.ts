/**
 * Opens TCP connections to an egress: directly, or through a proxy (http, https, socks5).
 * Rule: one deadline covers all of it. A failure says which hop failed and why, and leaves no socket. A proxy moves
 * bytes and is not trusted: the far end proves its identity inside, by TLS with our CA.
 * Not here: which proxy for which egress (the ingress chooses), and TLS to the egress.
 */
import net from 'node:net';
import { AditError, messageOf } from '../errors.ts';
import type { Credentials } from '../identity/credentials.ts';
import { factsOf } from '../identity/peer.ts';
import type { TrustAnchors } from '../identity/trust.ts';
import { attempt } from '../net/attempt.ts';
import type { Deadline } from '../net/deadline.ts';
import { noteOutgoing } from '../net/outgoing.ts';
import { formatHostPort, type HostPort } from '../protocol/destination.ts';
import { formatProxy, type ProxyAddress } from '../protocol/proxy-address.ts';
import { askHttpProxy } from './http-proxy.ts';
import { secure } from './secure.ts';
import { askSocks5Proxy } from './socks5-proxy.ts';
import { systemRoots } from './system-roots.ts';

/** A proxy; for an `https` one also the roots to trust beside the system's, and the certificate to present. */
export interface Proxy extends ProxyAddress {
  readonly ca?: TrustAnchors;
  readonly client?: Pick<Credentials, 'certPem' | 'keyPem'>;
}

export interface RouteOptions {
  readonly proxy?: Proxy;
  readonly deadline: Deadline;
  readonly signal: AbortSignal;
  /** The name of `to` in errors, if it is connected to directly; default its address. */
  readonly peer?: string;
  /** Called with the TCP connection, which is below all that this opens. */
  readonly connected?: (tcp: net.Socket) => unknown;
  /** For an HTTP proxy, beside the headers that every request has. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * A connection to `to`; for an `https` proxy a TLS socket. Rejects with EGRESS_UNREACHABLE, LINK_TIMEOUT, PROXY_FAILED,
 * PROXY_REFUSED or PROXY_AUTH_REQUIRED.
 */
export async function openRoute(to: HostPort, { proxy, headers, ...rest }: RouteOptions): Promise<net.Socket> {
  const { peer = formatHostPort(to.host, to.port), ...limits } = rest;
  if (proxy === undefined)
    return connected(to, { hop: { peer, unreachable: 'EGRESS_UNREACHABLE', timeout: 'LINK_TIMEOUT' }, ...limits });
  const { deadline, signal } = limits;
  const socket = proxy.scheme === 'https' ? await secured(proxy, limits) : await toProxy(proxy, limits);
  try {
    const ask = proxy.scheme === 'socks5' ? askSocks5Proxy : askHttpProxy;
    await ask(socket, { proxy, to, deadlineMs: deadline.leftMs, signal, ...(headers && { headers }) });
    return socket;
  } catch (error) {
    socket.destroy();
    throw signal.aborted
      ? new AditError('EGRESS_UNREACHABLE', `the connection to ${peer} was given up`, { cause: error })
      : error;
  }
}

const proxyHop = { unreachable: 'PROXY_FAILED', timeout: 'PROXY_FAILED' } as const;

type Limits = Pick<RouteOptions, 'deadline' | 'signal' | 'connected'>;

interface ConnectedOptions extends Limits {
  /** The name of the peer and the codes, for failures. */
  readonly hop: {
    readonly peer: string;
    readonly unreachable: 'EGRESS_UNREACHABLE' | 'PROXY_FAILED';
    readonly timeout: 'LINK_TIMEOUT' | 'PROXY_FAILED';
  };
}

/** A TCP connection, by whichever address answers first (RFC 8305). */
function connected(
  { host, port }: HostPort,
  { hop, deadline, signal, connected: told }: ConnectedOptions,
): Promise<net.Socket> {
  const { peer, unreachable, timeout } = hop;
  const socket = net.connect({
    host,
    port,
    allowHalfOpen: true,
    noDelay: true,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: 250,
  });
  socket.on('error', () => socket.destroy()); // from birth to close, whoever owns it
  noteOutgoing(socket, { host, port });
  return attempt<net.Socket>(
    {
      deadline,
      signal,
      timedOut: () => new AditError(timeout, deadline.missed(`no connection to ${peer}`)),
      aborted: () => new AditError(unreachable, `the connection to ${peer} was given up`),
      giveUp: () => socket.destroy(),
    },
    ({ succeed, fail }) => {
      socket
        .once('error', (error: NodeJS.ErrnoException) =>
          fail(
            new AditError(unreachable, `cannot reach ${peer} (${error.code ?? messageOf(error)})`, { cause: error }),
          ),
        )
        .once('connect', () => {
          deadline.watch(socket);
          told?.(socket);
          succeed(socket);
        });
    },
  );
}

function toProxy(proxy: Proxy, limits: Limits): Promise<net.Socket> {
  return connected(proxy, { hop: { peer: `the proxy ${formatProxy(proxy)}`, ...proxyHop }, ...limits });
}

/** TLS to the proxy itself, whose certificate must chain to the roots of the system or of --proxy-ca. */
async function secured(proxy: Proxy, limits: Limits): Promise<net.Socket> {
  const name = `the proxy ${formatProxy(proxy)}`;
  const socket = await secure({
    peer: name,
    hop: 'proxy',
    to: await toProxy(proxy, limits),
    serverName: proxy.host,
    ...limits,
    tls: {
      ca: [...systemRoots(), ...(proxy.ca?.pem ?? [])],
      minVersion: 'TLSv1.2',
      ALPNProtocols: ['http/1.1'],
      ...(proxy.client && { cert: proxy.client.certPem, key: proxy.client.keyPem }),
    },
  });
  const { authorized, authorizationError = 'no reason given', leaf } = factsOf(socket);
  if (authorized) return socket;
  socket.destroy();
  const issuer = leaf?.issuer.replace(/[^\x20-\x7e]+/g, ', ').slice(0, 300) ?? 'nobody';
  throw new AditError(
    'PROXY_FAILED',
    `${name} has no certificate that this system trusts (${authorizationError}; issued by ${issuer}); ` +
      '--proxy-ca can name its CA',
  );
}
