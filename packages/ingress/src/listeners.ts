/**
 * Which front end stands at which listener, as the options say.
 * Rule: who may use a proxy is asked anew for every client, so that a reload of the files changes it for the next one.
 */
import type { Listening } from '@adit/shared/config/values/listen-at';
import type { Listener } from '@adit/shared/net/listen';
import type { Admits } from '@adit/shared/protocol/socks5-server';
import type { FrontEnd } from './frontend/contract.ts';
import { control } from './frontend/control.ts';
import { forward } from './frontend/forward.ts';
import { httpProxy } from './frontend/http-proxy.ts';
import type { LocalCertificates } from './frontend/local-certificates.ts';
import { mixed } from './frontend/mixed.ts';
import { sniRouter } from './frontend/sni-routes.ts';
import { sni } from './frontend/sni.ts';
import { socks } from './frontend/socks.ts';
import { tlsTermination } from './frontend/tls-termination.ts';
import { loadUsers } from './frontend/users.ts';
import type { IngressOptions } from './options.ts';
import { transparentListeners } from './transparent/listeners.ts';

export interface Place extends Listening {
  readonly frontEnd: FrontEnd;
  /** What the log says of it. */
  readonly told: Readonly<Record<string, string>>;
  /** Called once it listens; may throw LISTEN_FAILED. */
  readonly opened?: (listener: Listener) => void;
}

/** Who may use the proxies; absent: everybody who can connect. */
export interface ProxyUsers {
  readonly socks?: Admits;
  readonly http?: Admits;
}

type ListenerOptions = Pick<
  IngressOptions,
  | 'forwards'
  | 'socks'
  | 'httpProxy'
  | 'mixed'
  | 'sni'
  | 'sniRoutes'
  | 'tlsListen'
  | 'tlsAlpn'
  | 'transparent'
  | 'controlSocket'
>;

/** How long a client may take to say where to, ms. */
const handshakeDeadlineMs = 10_000;

/** Reads the files that are named. Throws CONFIG_INVALID. */
export function loadProxyUsers({
  socksAuthFile,
  httpProxyAuthFile,
}: Pick<IngressOptions, 'socksAuthFile' | 'httpProxyAuthFile'>): ProxyUsers {
  return {
    ...(socksAuthFile !== undefined && { socks: loadUsers(socksAuthFile) }),
    ...(httpProxyAuthFile !== undefined && { http: loadUsers(httpProxyAuthFile) }),
  };
}

/** Every listener of the options, in the order of its flags in the help. Throws TRANSPARENT_UNAVAILABLE. */
export function placesOf(
  {
    forwards,
    socks: socksAt,
    httpProxy: httpAt,
    mixed: mixedAt,
    sni: sniAt,
    sniRoutes,
    tlsListen,
    tlsAlpn,
    transparent: transparentAt,
    controlSocket = 'none',
  }: ListenerOptions,
  users: () => ProxyUsers,
  certificates: () => LocalCertificates,
): Place[] {
  const common = (proxy: keyof ProxyUsers): { readonly admits?: Admits; readonly deadlineMs: number } => ({
    ...(users()[proxy] && { admits: (user, password) => users()[proxy]?.(user, password) ?? false }),
    deadlineMs: handshakeDeadlineMs,
  });
  const socksProxy = socks(common('socks'));
  const webProxy = httpProxy(common('http'));
  const byName = sni({ route: sniRouter(sniRoutes), deadlineMs: handshakeDeadlineMs });
  const both = mixed({
    socks: socksProxy,
    http: webProxy,
    ...(sniRoutes.length > 0 && { tls: byName }),
    deadlineMs: handshakeDeadlineMs,
  });
  const intercepting = transparentAt.length === 0 ? undefined : transparentListeners();
  return [
    ...forwards.map(({ destination, spec, ...at }) => ({
      ...at,
      frontEnd: forward(destination),
      told: { forward: spec },
    })),
    ...socksAt.map(({ spec, ...at }) => ({ ...at, frontEnd: socksProxy, told: { socks: spec } })),
    ...httpAt.map(({ spec, ...at }) => ({ ...at, frontEnd: webProxy, told: { httpProxy: spec } })),
    ...mixedAt.map(({ spec, ...at }) => ({ ...at, frontEnd: both, told: { mixed: spec } })),
    ...sniAt.map(({ spec, ...at }) => ({ ...at, frontEnd: byName, told: { sni: spec } })),
    ...tlsListen.map(({ destination, spec, ...at }) => ({
      ...at,
      frontEnd: tlsTermination({ destination, certificates, alpn: tlsAlpn, deadlineMs: handshakeDeadlineMs }),
      told: { tlsListen: spec },
    })),
    ...(intercepting
      ? transparentAt.map(({ listen, tproxy = false, spec }) => ({
          listen,
          frontEnd: intercepting.frontEnd,
          told: { transparent: spec },
          opened: (listener: Listener) => intercepting.opened(listener, tproxy),
        }))
      : []),
    ...(controlSocket === 'none'
      ? []
      : [
          {
            listen: { kind: 'unix', path: controlSocket } as const,
            frontEnd: control({ deadlineMs: handshakeDeadlineMs }),
            told: { controlSocket },
          },
        ]),
  ];
}
