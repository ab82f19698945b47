/**
 * Which proxy, if any, asks for the connection to which egress; its password and certificates, read and checked.
 * Rule: --proxy and --proxy-file serve every egress; the environment's proxy serves those that NO_PROXY does not name.
 * A file with a password that others may read is refused, as a key is.
 */
import type { Proxy } from '@adit/shared/carrier/route';
import type { HostPort } from '@adit/shared/protocol/destination';
import { bypassesProxy } from '@adit/shared/config/values/no-proxy';
import { parseProxyFile } from '@adit/shared/config/values/proxy-url';
import { AditError } from '@adit/shared/errors';
import { loadCredentials, readSecretFile } from '@adit/shared/identity/credentials';
import { loadTrustAnchors } from '@adit/shared/identity/trust';
import type { ProxyAddress } from '@adit/shared/protocol/proxy-address';
import type { IngressOptions } from '../options.ts';

export type ProxyOptions = Pick<
  IngressOptions,
  'proxy' | 'proxyFile' | 'proxyCa' | 'proxyCert' | 'proxyKey' | 'environmentProxy'
>;

export type ProxyFor = (egress: HostPort) => Proxy | undefined;

/** Reads what the options name. Throws CONFIG_INVALID or CREDENTIALS_UNUSABLE. */
export function loadProxies(options: ProxyOptions): ProxyFor {
  const { proxy, proxyFile, environmentProxy } = options;
  const tls = loadTls(options);
  if (proxy === 'none') return () => undefined;
  const always = proxy ?? (proxyFile === undefined ? undefined : readProxyFile(proxyFile));
  if (always) return () => ({ ...always, ...tls });
  if (environmentProxy === undefined) return () => undefined;
  return (egress) =>
    bypassesProxy(egress, environmentProxy.except) ? undefined : { ...environmentProxy.proxy, ...tls };
}

/** The files whose changes matter. */
export function proxyFiles({ proxyFile, proxyCa, proxyCert, proxyKey }: ProxyOptions): string[] {
  return [proxyFile, proxyCa, proxyCert, proxyKey].filter((file) => file !== undefined);
}

function readProxyFile(path: string): ProxyAddress {
  const parsed = parseProxyFile(readSecretFile(path, 'proxy file', 'CONFIG_INVALID').toString('utf8'));
  if (!parsed.ok) throw new AditError('CONFIG_INVALID', `The proxy file ${path} is unusable: ${parsed.reason}.`);
  return parsed.value;
}

function loadTls({ proxyCa, proxyCert, proxyKey }: ProxyOptions): Pick<Proxy, 'ca' | 'client'> {
  return {
    ...(proxyCa !== undefined && { ca: loadTrustAnchors(proxyCa) }),
    ...(proxyCert !== undefined &&
      proxyKey !== undefined && { client: loadCredentials({ cert: proxyCert, key: proxyKey, role: 'client' }) }),
  };
}
