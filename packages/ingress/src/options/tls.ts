/**
 * What is wrong about the listeners of TLS clients together, although each option is right.
 * Rule: a route that nobody could take, and a listener that could serve nobody, stop the start.
 */
import type { Options } from '@adit/shared/config/setting';
import type { SniRoute } from '@adit/shared/config/values/sni-route';
import { AditError } from '@adit/shared/errors';
import { safeText } from '@adit/shared/observe/safe-text';
import type { ingressSettings } from './settings.ts';

type TlsFlags = Pick<
  Options<typeof ingressSettings>,
  'mixed' | 'sni' | 'sniRoutes' | 'tlsListen' | 'tlsCerts' | 'tlsKeys' | 'tlsAlpn'
>;

/** Throws CONFIG_INVALID. */
export function refuseTlsOptions(options: TlsFlags): void {
  refuseRoutes(options);
  refuseCertificates(options);
}

function refuseRoutes({ mixed, sni, sniRoutes }: TlsFlags): void {
  if (sni.length > 0 && sniRoutes.length === 0)
    throw new AditError(
      'CONFIG_INVALID',
      `--sni "${safeText(sni[0]!.spec)}" leads nowhere: give a --sni-route, as in www.example.com=web.internal:443`,
    );
  if (sniRoutes.length > 0 && sni.length + mixed.length === 0)
    throw new AditError('CONFIG_INVALID', '--sni-route is for --sni and --mixed, and there is neither');
  refuseTwins(sniRoutes);
}

function refuseCertificates({ tlsListen, tlsCerts, tlsKeys, tlsAlpn }: TlsFlags): void {
  if (tlsListen.length > 0 && tlsCerts.length + tlsKeys.length === 0)
    throw new AditError(
      'CONFIG_INVALID',
      `--tls-listen "${safeText(tlsListen[0]!.spec)}" has no certificate to show: give --tls-cert and --tls-key`,
    );
  if (tlsListen.length === 0 && tlsCerts.length + tlsKeys.length > 0)
    throw new AditError('CONFIG_INVALID', '--tls-cert and --tls-key are for --tls-listen, and there is none');
  if (tlsListen.length === 0 && tlsAlpn.length > 0)
    throw new AditError('CONFIG_INVALID', '--tls-alpn is for --tls-listen, and there is none');
  if (tlsCerts.length !== tlsKeys.length)
    throw new AditError(
      'CONFIG_INVALID',
      `each --tls-cert has its --tls-key, in the same order: there are ${tlsCerts.length} of one and ` +
        `${tlsKeys.length} of the other`,
    );
}

/** Two routes for the same name. */
function refuseTwins(sniRoutes: readonly SniRoute[]): void {
  const seen = new Map<string, string>();
  for (const { pattern, spec } of sniRoutes) {
    const earlier = seen.get(pattern);
    if (earlier !== undefined)
      throw new AditError(
        'CONFIG_INVALID',
        `--sni-route "${safeText(spec)}" is for the same name as --sni-route "${safeText(earlier)}"`,
      );
    seen.set(pattern, spec);
  }
}
