/**
 * The proxy that the environment names: HTTPS_PROXY and ALL_PROXY, and NO_PROXY for what is reached without it.
 * Rule: as curl reads them for https: lower-case names win, HTTPS_PROXY wins over ALL_PROXY, an empty variable counts
 * as absent. HTTP_PROXY is for plain HTTP, which a session never is. A URL that cannot be used stops the start: a proxy
 * is never bypassed silently.
 */
import type { Environment } from '@adit/shared/config/environment';
import { parseProxyUrl, withoutPassword } from '@adit/shared/config/values/proxy-url';
import { AditError } from '@adit/shared/errors';
import { safeText } from '@adit/shared/observe/safe-text';
import type { ProxyAddress } from '@adit/shared/protocol/proxy-address';

export interface EnvironmentProxy {
  readonly proxy: ProxyAddress;
  /** The text of NO_PROXY. */
  readonly except: string;
}

/** Undefined if no variable names a proxy. Throws CONFIG_INVALID. */
export function proxyOfEnvironment(environment: Environment): EnvironmentProxy | undefined {
  const name = ['https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'].find(
    (variable) => (environment[variable] ?? '') !== '',
  );
  if (name === undefined) return undefined;
  const text = environment[name]!;
  const proxy = parseProxyUrl(text);
  if (!proxy.ok)
    throw new AditError(
      'CONFIG_INVALID',
      `${name} "${safeText(withoutPassword(text))}": ${proxy.reason}; "--proxy none" ignores it`,
    );
  return { proxy: proxy.value, except: environment['no_proxy'] ?? environment['NO_PROXY'] ?? '' };
}
