/**
 * A tunnel whose ingress is a SOCKS proxy, an HTTP proxy, and both on one port.
 */
import { listeningPort, openTunnel, policyOf, type Tunnel } from './adit.ts';

export interface LocalProxies extends Tunnel {
  readonly socks: number;
  readonly http: number;
  readonly mixed: number;
}

/** alice may reach this machine, by address and as localhost, and nothing else. */
export const localPolicy = policyOf({ allow: ['127.0.0.1:*', 'localhost:*', '[::1]:*'] });

export async function openProxies({
  flags = [],
  policy = localPolicy,
}: { readonly flags?: readonly string[]; readonly policy?: string } = {}): Promise<LocalProxies> {
  const tunnel = await openTunnel({
    to: {},
    policy,
    ingress: { flags: ['--socks', '0', '--http-proxy', '0', '--mixed', '0', ...flags] },
  });
  const portFor = (option: string): Promise<number> => listeningPort(tunnel.ingress.process, { [option]: '0' });
  return { ...tunnel, socks: await portFor('socks'), http: await portFor('httpProxy'), mixed: await portFor('mixed') };
}
