/**
 * What is right by itself and wrong together among the options of the listeners that TLS clients come to.
 * Rule: a route that nobody could take, and a listener that could serve nobody, stop the start.
 */
import type { Forward } from '@adit/shared/config/values/forward';
import type { ListenSpec } from '@adit/shared/config/values/listen-at';
import type { SniRoute } from '@adit/shared/config/values/sni-route';
import { AditError } from '@adit/shared/errors';
import { safeText } from '@adit/shared/observe/safe-text';

/** Of the options of an ingress. */
export interface TlsOptions {
  readonly mixed: readonly ListenSpec[];
  readonly sni: readonly ListenSpec[];
  readonly sniRoutes: readonly SniRoute[];
  readonly tlsListen: readonly Forward[];
  /** As many as keys, in the same order. */
  readonly tlsCerts: readonly string[];
  readonly tlsKeys: readonly string[];
  readonly tlsAlpn: readonly string[];
}

/** Throws CONFIG_INVALID. */
export function refuseTlsOptions({ mixed, sni, sniRoutes, tlsListen, tlsCerts, tlsKeys, tlsAlpn }: TlsOptions): void {
  if (sni.length > 0 && sniRoutes.length === 0)
    throw new AditError(
      'CONFIG_INVALID',
      `--sni "${safeText(sni[0]!.spec)}" leads nowhere: give a --sni-route, as in www.example.com=web.internal:443`,
    );
  if (sniRoutes.length > 0 && sni.length + mixed.length === 0)
    throw new AditError('CONFIG_INVALID', '--sni-route is for --sni and --mixed, and there is neither');
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
