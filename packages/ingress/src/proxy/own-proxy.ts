/**
 * Refuses a proxy to the egress that is a listener of this very ingress, as when HTTPS_PROXY of the machine names it:
 * the ingress would wait for the session that it is about to make.
 * Rule: it is refused at the start, before anything listens, and only if it is certain: a listener on loopback or on
 * every address, at the port of the proxy, for an egress that NO_PROXY does not name.
 */
import { isIP } from 'node:net';
import type { ListenSpec } from '@adit/shared/config/values/listen-at';
import { bypassesProxy } from '@adit/shared/config/values/no-proxy';
import { AditError } from '@adit/shared/errors';
import { formatHostPort, type HostPort } from '@adit/shared/protocol/destination';
import type { ProxyAddress } from '@adit/shared/protocol/proxy-address';
import type { ProxyOptions } from './proxies.ts';

export interface OwnProxyOptions extends Pick<ProxyOptions, 'proxy' | 'environmentProxy'> {
  readonly egress: readonly (HostPort | { readonly kind: string })[];
  readonly socks: readonly ListenSpec[];
  readonly httpProxy: readonly ListenSpec[];
  readonly mixed: readonly ListenSpec[];
}

/** Throws CONFIG_INVALID. */
export function refuseOwnProxy({ proxy, environmentProxy, egress, ...listeners }: OwnProxyOptions): void {
  const except = proxy === undefined ? (environmentProxy?.except ?? '') : '';
  const named = proxy === 'none' ? undefined : (proxy ?? environmentProxy?.proxy);
  if (
    named === undefined ||
    !isLoopback(named.host) ||
    egress.every((target) => 'host' in target && bypassesProxy(target, except))
  )
    return;
  for (const [flag, specs] of Object.entries({
    socks: listeners.socks,
    'http-proxy': listeners.httpProxy,
    mixed: listeners.mixed,
  })) {
    const own = specs.find(
      ({ listen }) =>
        listen.kind === 'tcp' &&
        listen.port === named.port &&
        (isLoopback(listen.host) || ['0.0.0.0', '::'].includes(listen.host)),
    );
    if (own)
      throw new AditError(
        'CONFIG_INVALID',
        `${proxy === undefined ? 'the environment (HTTPS_PROXY or ALL_PROXY)' : '--proxy'} names ${urlOf(named)} ` +
          `as the proxy to the egress, and that is --${flag} "${own.spec}" of this ingress itself; start it with ` +
          '"--proxy none"',
      );
  }
}

function urlOf({ scheme, host, port }: ProxyAddress): string {
  return `${scheme}://${formatHostPort(host, port)}`;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
