/**
 * What is wrong about the options of the proxy to the egress, although each of them is right.
 * Rule: a password is never accepted on the command line.
 */
import type { Options } from '@adit/shared/config/setting';
import { AditError } from '@adit/shared/errors';
import type { ingressSettings } from './settings.ts';

type ProxyFlags = Pick<Options<typeof ingressSettings>, 'proxy' | 'proxyFile' | 'proxyCert' | 'proxyKey'>;

/** `flags` are the texts of --proxy. Throws USAGE or CONFIG_INVALID. */
export function refuseProxies({ proxy, proxyFile, proxyCert, proxyKey }: ProxyFlags, flags: readonly string[]): void {
  if (flags.some((text) => text.includes('@')))
    throw new AditError(
      'USAGE',
      '--proxy: every user of this machine can read a password on the command line; put the URL into a file of ' +
        'mode 0600 and name it with --proxy-file, or use ADIT_PROXY or the configuration file',
    );
  if (proxyFile !== undefined && proxy !== undefined && proxy !== 'none')
    throw new AditError('CONFIG_INVALID', '--proxy and --proxy-file both name a proxy: keep one');
  if ((proxyCert === undefined) !== (proxyKey === undefined))
    throw new AditError(
      'CONFIG_INVALID',
      `--proxy-cert and --proxy-key belong together: --proxy-${proxyCert === undefined ? 'cert' : 'key'} is missing`,
    );
}
