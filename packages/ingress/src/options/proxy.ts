/**
 * What is wrong about the options of the proxy to the egress, although each of them is right.
 * Not here: a password on the command line (shared/config/exposed.ts refuses it).
 */
import type { Options } from '@adit/shared/config/setting';
import { AditError } from '@adit/shared/errors';
import type { ingressSettings } from './settings.ts';

type ProxyFlags = Pick<Options<typeof ingressSettings>, 'proxy' | 'proxyFile' | 'proxyCert' | 'proxyKey'>;

/** Throws CONFIG_INVALID. */
export function refuseProxies({ proxy, proxyFile, proxyCert, proxyKey }: ProxyFlags): void {
  if (proxyFile !== undefined && proxy !== undefined && proxy !== 'none')
    throw new AditError('CONFIG_INVALID', '--proxy and --proxy-file both name a proxy: keep one');
  if ((proxyCert === undefined) !== (proxyKey === undefined))
    throw new AditError(
      'CONFIG_INVALID',
      `--proxy-cert and --proxy-key belong together: --proxy-${proxyCert === undefined ? 'cert' : 'key'} is missing`,
    );
}
