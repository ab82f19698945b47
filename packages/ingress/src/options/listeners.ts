/**
 * What is wrong about the listeners of an ingress together, although each of them is right.
 * Rule: two listeners in one place stop the start, before the first of them begins to serve.
 * Not here: the listeners of TLS clients and their certificates (tls.ts).
 */
import { resolve } from 'node:path';
import type { Options } from '@adit/shared/config/setting';
import type { ListenAt, ListenSpec } from '@adit/shared/config/values/listen-at';
import { AditError } from '@adit/shared/errors';
import { safeText } from '@adit/shared/observe/safe-text';
import { formatHostPort } from '@adit/shared/protocol/destination';
import type { ingressSettings } from './settings.ts';

type ListenerFlags = Pick<
  Options<typeof ingressSettings>,
  | 'forwards'
  | 'socks'
  | 'socksAuthFile'
  | 'httpProxy'
  | 'httpProxyAuthFile'
  | 'mixed'
  | 'tlsListen'
  | 'sni'
  | 'transparent'
  | 'controlSocket'
>;

/** One listener and the flag that asks for it. */
interface Flagged extends Pick<ListenSpec, 'listen' | 'spec'> {
  readonly flag: string;
}

/** Throws USAGE if there is nothing to listen on, or CONFIG_INVALID. */
export function refuseListeners(options: ListenerFlags): void {
  const listeners = listenersOf(options);
  if (listeners.length === 0)
    throw new AditError(
      'USAGE',
      'there is nothing to listen on: give --forward, --socks, --http-proxy, --mixed, --sni, --tls-listen, ' +
        '--transparent or --control-socket on the command line, ADIT_FORWARD and so on in the environment, or ' +
        '"forward:" and so on in the file of --config',
    );
  refuseAuthFiles(options);
  refuseSharedPlaces(listeners);
}

function listenersOf(options: ListenerFlags): Flagged[] {
  const { controlSocket = 'none' } = options;
  const listeners = Object.entries({
    forward: options.forwards,
    socks: options.socks,
    'http-proxy': options.httpProxy,
    mixed: options.mixed,
    'tls-listen': options.tlsListen,
    sni: options.sni,
    transparent: options.transparent,
  }).flatMap(([flag, specs]) => specs.map(({ listen, spec }): Flagged => ({ flag, listen, spec })));
  return controlSocket === 'none'
    ? listeners
    : [...listeners, { flag: 'control-socket', listen: { kind: 'unix', path: controlSocket }, spec: controlSocket }];
}

/** A password file without its proxy, or one of two that --mixed needs. */
function refuseAuthFiles({ socks, socksAuthFile, httpProxy, httpProxyAuthFile, mixed }: ListenerFlags): void {
  if (socksAuthFile !== undefined && socks.length + mixed.length === 0)
    throw new AditError('CONFIG_INVALID', '--socks-auth-file is for --socks and --mixed, and there is neither');
  if (httpProxyAuthFile !== undefined && httpProxy.length + mixed.length === 0)
    throw new AditError(
      'CONFIG_INVALID',
      '--http-proxy-auth-file is for --http-proxy and --mixed, and there is neither',
    );
  if (mixed.length > 0 && (socksAuthFile === undefined) !== (httpProxyAuthFile === undefined))
    throw new AditError(
      'CONFIG_INVALID',
      '--mixed asks the clients of both proxies for a password, or of neither: ' +
        `--${socksAuthFile === undefined ? 'socks' : 'http-proxy'}-auth-file is missing (both may name one file)`,
    );
}

function refuseSharedPlaces(listeners: readonly Flagged[]): void {
  const taken = new Map<string, string>();
  for (const { flag, listen, spec } of listeners) {
    // The kernel chooses a port of its own for each of them.
    if (listen.kind === 'tcp' && listen.port === 0) continue;
    const place = placeOf(listen);
    const shown = `--${flag} "${safeText(spec)}"`;
    const earlier = taken.get(place);
    if (earlier !== undefined) throw new AditError('CONFIG_INVALID', `${shown} listens where ${earlier} does`);
    taken.set(place, shown);
  }
}

/** The same text for the same place, however it is spelt. */
function placeOf(listen: ListenAt): string {
  if (listen.kind === 'systemd') return `systemd:${listen.name}`;
  return listen.kind === 'tcp' ? formatHostPort(listen.host, listen.port) : resolve(listen.path);
}
