/**
 * What is right by itself and wrong together among the options of the listeners that TLS clients come to.
 * Rule: a route that nobody could take, and a listener that could lead nowhere, stop the start.
 */
import { AditError, safeText } from '@adit/shared';
import type { IngressOptions } from './options.ts';

type TlsOptions = Pick<IngressOptions, 'mixed' | 'sni' | 'sniRoutes'>;

/** Throws CONFIG_INVALID. */
export function refuseTlsOptions({ mixed, sni, sniRoutes }: TlsOptions): void {
  if (sni.length > 0 && sniRoutes.length === 0) throw new AditError('CONFIG_INVALID', `--sni "${safeText(sni[0]!.spec)}" leads nowhere: give a --sni-route, as in www.example.com=web.internal:443`);
  if (sniRoutes.length > 0 && sni.length + mixed.length === 0) throw new AditError('CONFIG_INVALID', '--sni-route is for --sni and --mixed, and there is neither');
  const seen = new Map<string, string>();
  for (const { pattern, spec } of sniRoutes) {
    const earlier = seen.get(pattern);
    if (earlier !== undefined) throw new AditError('CONFIG_INVALID', `--sni-route "${safeText(spec)}" is for the same name as --sni-route "${safeText(earlier)}"`);
    seen.set(pattern, spec);
  }
}
