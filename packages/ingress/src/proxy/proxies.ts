/**
 * Which proxy, if any, the connection to an egress goes through.
 * Rule: --proxy and --proxy-file serve every egress; the environment's proxy serves those that NO_PROXY does not name.
 * Not here: reading the files (shared/carrier/proxy-files.ts).
 */
import { loadClientTls, readProxyFile } from '@adit/shared/carrier/proxy-files';
import type { Proxy } from '@adit/shared/carrier/route';
import type { HostPort } from '@adit/shared/protocol/destination';
import { bypassesProxy } from '@adit/shared/config/values/no-proxy';
import type { IngressOptions } from '../options.ts';

export type ProxyOptions = Pick<
  IngressOptions,
  'proxy' | 'proxyFile' | 'proxyCa' | 'proxyCert' | 'proxyKey' | 'environmentProxy'
>;

export type ProxyFor = (egress: HostPort) => Proxy | undefined;

/** Reads the files that the options name. Throws CONFIG_INVALID or CREDENTIALS_UNUSABLE. */
export function loadProxies(options: ProxyOptions): ProxyFor {
  const { proxy, proxyFile, proxyCa, proxyCert, proxyKey, environmentProxy } = options;
  const tls = loadClientTls({ ca: proxyCa, cert: proxyCert, key: proxyKey });
  if (proxy === 'none') return () => undefined;
  const always = proxy ?? (proxyFile === undefined ? undefined : readProxyFile(proxyFile));
  if (always) return () => ({ ...always, ...tls });
  if (environmentProxy === undefined) return () => undefined;
  return (egress) =>
    bypassesProxy(egress, environmentProxy.except) ? undefined : { ...environmentProxy.proxy, ...tls };
}

/** The files that are watched for changes. */
export function proxyFiles({ proxyFile, proxyCa, proxyCert, proxyKey }: ProxyOptions): string[] {
  return [proxyFile, proxyCa, proxyCert, proxyKey].filter((file) => file !== undefined);
}
