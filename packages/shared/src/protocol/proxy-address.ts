/**
 * The address of a proxy and how to ask it, as in the URL `https://user:password@proxy.example.org:8080`.
 * Rule: `formatProxy` is the only text of it that is shown, and it contains neither user nor password.
 * Not here: parsing the URL (config/values/proxy-url.ts).
 */
import { formatHostPort, type HostPort } from './destination.ts';

export const proxySchemes = ['http', 'https', 'socks5'] as const;

export interface ProxyAddress extends HostPort {
  /** `http` and `https` are asked by CONNECT, `https` inside TLS. */
  readonly scheme: (typeof proxySchemes)[number];
  readonly credentials?: { readonly user: string; readonly password: string };
}

/** "http://proxy.example.org:3128" */
export function formatProxy({ scheme, host, port }: ProxyAddress): string {
  return `${scheme}://${formatHostPort(host, port)}`;
}
