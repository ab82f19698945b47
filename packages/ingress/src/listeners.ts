/**
 * The listeners that the options ask for, each with its front end.
 * Rule: the users of a proxy are looked up for every client, so that a reload of the files takes effect with the next
 * one.
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

export interface LocalListener extends Listening {
  readonly frontEnd: FrontEnd;
  /** The fields of its `listening` line in the log. */
  readonly logged: Readonly<Record<string, string>>;
  /** Called once it listens; may throw LISTEN_FAILED. */
  readonly opened?: (listener: Listener) => void;
}

/** Who may use the proxies; absent: everybody who can connect. */
export interface ProxyUsers {
  readonly socks?: Admits;
  readonly http?: Admits;
}

/** Looked up for every client. */
interface Loaded {
  readonly users: () => ProxyUsers;
  readonly certificates: () => LocalCertificates;
}

type ProxyOptions = Pick<IngressOptions, 'socks' | 'httpProxy' | 'mixed' | 'sni' | 'sniRoutes'>;
type ListenerOptions = ProxyOptions &
  Pick<IngressOptions, 'forwards' | 'tlsListen' | 'tlsAlpn' | 'transparent' | 'controlSocket'>;

/** How long a client may take to state its destination, ms. */
const deadlineMs = 10_000;

/** Reads the files that the options name. Throws CONFIG_INVALID. */
export function loadProxyUsers({
  socksAuthFile,
  httpProxyAuthFile,
}: Pick<IngressOptions, 'socksAuthFile' | 'httpProxyAuthFile'>): ProxyUsers {
  return {
    ...(socksAuthFile !== undefined && { socks: loadUsers(socksAuthFile) }),
    ...(httpProxyAuthFile !== undefined && { http: loadUsers(httpProxyAuthFile) }),
  };
}

/** Every listener of the options, in the order of their flags in the help. Throws TRANSPARENT_UNAVAILABLE. */
export function localListeners(options: ListenerOptions, { users, certificates }: Loaded): LocalListener[] {
  return [
    ...options.forwards.map(({ destination, spec, ...at }) => ({
      ...at,
      frontEnd: forward(destination),
      logged: { forward: spec },
    })),
    ...proxies(options, users),
    ...options.tlsListen.map(({ destination, spec, ...at }) => ({
      ...at,
      frontEnd: tlsTermination({ destination, certificates, alpn: options.tlsAlpn, deadlineMs }),
      logged: { tlsListen: spec },
    })),
    ...transparentPorts(options.transparent),
    ...controlSockets(options.controlSocket),
  ];
}

/** The listeners whose clients say where they want to go. */
function proxies(
  { socks: socksAt, httpProxy: httpAt, mixed: mixedAt, sni: sniAt, sniRoutes }: ProxyOptions,
  users: () => ProxyUsers,
): LocalListener[] {
  const clientsOf = (proxy: keyof ProxyUsers): { readonly admits?: Admits; readonly deadlineMs: number } => ({
    ...(users()[proxy] && { admits: (user, password) => users()[proxy]?.(user, password) ?? false }),
    deadlineMs,
  });
  const bySocks = socks(clientsOf('socks'));
  const byHttp = httpProxy(clientsOf('http'));
  const byName = sni({ route: sniRouter(sniRoutes), deadlineMs });
  const byAny = mixed({ socks: bySocks, http: byHttp, ...(sniRoutes.length > 0 && { tls: byName }), deadlineMs });
  return [
    ...socksAt.map(({ spec, ...at }) => ({ ...at, frontEnd: bySocks, logged: { socks: spec } })),
    ...httpAt.map(({ spec, ...at }) => ({ ...at, frontEnd: byHttp, logged: { httpProxy: spec } })),
    ...mixedAt.map(({ spec, ...at }) => ({ ...at, frontEnd: byAny, logged: { mixed: spec } })),
    ...sniAt.map(({ spec, ...at }) => ({ ...at, frontEnd: byName, logged: { sni: spec } })),
  ];
}

function transparentPorts(ports: IngressOptions['transparent']): LocalListener[] {
  if (ports.length === 0) return [];
  const shared = transparentListeners();
  return ports.map(({ listen, tproxy = false, spec }) => ({
    listen,
    frontEnd: shared.frontEnd,
    logged: { transparent: spec },
    opened: (listener) => shared.opened(listener, tproxy),
  }));
}

function controlSockets(path: string = 'none'): LocalListener[] {
  if (path === 'none') return [];
  return [{ listen: { kind: 'unix', path }, frontEnd: control({ deadlineMs }), logged: { controlSocket: path } }];
}
