/**
 * How TCP gets out of here: directly, or through a proxy that is asked for it (http, https, socks5).
 * Rule: one deadline for all of it; a failure says which hop failed and why; a socket that comes to nothing is
 * destroyed. A proxy moves bytes and is believed nothing: who the far end is, is proven inside, by TLS with our CA.
 * Not here: which proxy for which egress (the ingress chooses), and TLS to the egress.
 */
import net from 'node:net';
import { AditError, messageOf } from '../errors.ts';
import type { Credentials } from '../identity/credentials.ts';
import { factsOf } from '../identity/peer.ts';
import type { TrustAnchors } from '../identity/trust.ts';
import { noteOutgoing } from '../net/outgoing.ts';
import { formatHostPort } from '../protocol/destination.ts';
import { formatProxy, type ProxyAddress } from '../protocol/proxy-address.ts';
import { askHttpProxy } from './http-proxy.ts';
import { secure } from './secure.ts';
import { askSocks5Proxy } from './socks5-proxy.ts';
import { systemRoots } from './system-roots.ts';

/** A proxy, and for an `https` one: whom to believe beside the roots of the system, and the certificate to show it. */
export interface Proxy extends ProxyAddress {
  readonly ca?: TrustAnchors;
  readonly client?: Pick<Credentials, 'certPem' | 'keyPem'>;
}

export interface Place {
  readonly host: string;
  readonly port: number;
}

export interface RouteOptions {
  readonly proxy?: Proxy;
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  /** For an HTTP proxy, beside those that every request has. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * A connection to `to`; for an `https` proxy a TLS socket. Rejects with EGRESS_UNREACHABLE, LINK_TIMEOUT, PROXY_FAILED,
 * PROXY_REFUSED or PROXY_AUTH_REQUIRED.
 */
export async function openRoute(to: Place, { proxy, deadlineMs, signal, headers }: RouteOptions): Promise<net.Socket> {
  const endsAtMs = performance.now() + deadlineMs;
  const left = (): number => Math.max(1, Math.round(endsAtMs - performance.now()));
  if (proxy === undefined)
    return connected(to, {
      hop: { peer: formatHostPort(to.host, to.port), unreachable: 'EGRESS_UNREACHABLE', timeout: 'LINK_TIMEOUT' },
      deadlineMs,
      signal,
    });
  const socket =
    proxy.scheme === 'https'
      ? await secured(proxy, { deadlineMs, signal })
      : await connected(proxy, { hop: { peer: `the proxy ${formatProxy(proxy)}`, ...proxyHop }, deadlineMs, signal });
  const aborted = (): void => {
    socket.destroy();
  };
  signal.addEventListener('abort', aborted, { once: true });
  try {
    await (proxy.scheme === 'socks5' ? askSocks5Proxy : askHttpProxy)(socket, {
      proxy,
      to,
      deadlineMs: left(),
      ...(headers && { headers }),
    });
    return socket;
  } catch (error) {
    socket.destroy();
    throw signal.aborted
      ? new AditError('EGRESS_UNREACHABLE', `the connection to ${formatHostPort(to.host, to.port)} was given up`, {
          cause: error,
        })
      : error;
  } finally {
    signal.removeEventListener('abort', aborted);
  }
}

/** For `secure`: where to connect, or what is connected already through the proxy, and the time that is left. */
export async function routeTo(
  to: Place,
  options: RouteOptions,
): Promise<{ readonly to: Place | net.Socket; readonly deadlineMs: number }> {
  if (options.proxy === undefined) return { to, deadlineMs: options.deadlineMs };
  const startedMs = performance.now();
  const socket = await openRoute(to, options);
  return { to: socket, deadlineMs: Math.max(1, Math.round(options.deadlineMs - (performance.now() - startedMs))) };
}

const proxyHop = { unreachable: 'PROXY_FAILED', timeout: 'PROXY_FAILED' } as const;

interface ConnectedOptions extends Omit<RouteOptions, 'proxy' | 'headers'> {
  /** What a failure is called. */
  readonly hop: {
    readonly peer: string;
    readonly unreachable: 'EGRESS_UNREACHABLE' | 'PROXY_FAILED';
    readonly timeout: 'LINK_TIMEOUT' | 'PROXY_FAILED';
  };
}

/** A TCP connection, by whichever address answers first (RFC 8305). */
function connected({ host, port }: Place, { hop, deadlineMs, signal }: ConnectedOptions): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({
      host,
      port,
      allowHalfOpen: true,
      noDelay: true,
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: 250,
    });
    noteOutgoing(socket, { host, port });
    const settle = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', aborted);
    };
    const fail = (error: AditError): void => {
      settle();
      socket.destroy();
      reject(error);
    };
    const timer = setTimeout(
      () => fail(new AditError(hop.timeout, `no connection to ${hop.peer} within ${deadlineMs / 1000} s`)),
      deadlineMs,
    );
    const aborted = (): void => fail(new AditError(hop.unreachable, `the connection to ${hop.peer} was given up`));
    signal.addEventListener('abort', aborted, { once: true });
    socket.on('error', (error: NodeJS.ErrnoException) =>
      fail(
        new AditError(hop.unreachable, `cannot reach ${hop.peer} (${error.code ?? messageOf(error)})`, {
          cause: error,
        }),
      ),
    );
    socket.once('connect', () => {
      settle();
      resolve(socket);
    });
    if (signal.aborted) aborted();
  });
}

/** TLS to the proxy itself, whose certificate the roots of the system or --proxy-ca vouch for. */
async function secured(proxy: Proxy, { deadlineMs, signal }: Omit<RouteOptions, 'proxy'>): Promise<net.Socket> {
  const name = `the proxy ${formatProxy(proxy)}`;
  const socket = await secure({
    peer: name,
    hop: 'proxy',
    to: { host: proxy.host, port: proxy.port },
    serverName: proxy.host,
    deadlineMs,
    signal,
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
