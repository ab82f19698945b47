/**
 * Where a proxy is and how it is asked: the part of a route that a URL like
 * `https://user:password@proxy.example.org:8080` says.
 * Rule: `formatProxy` is the only text of it that is shown to anybody, and it holds neither user nor password.
 */
import { formatHostPort, type HostPort } from './destination.ts';

export const proxySchemes = ['http', 'https', 'socks5'] as const;

export interface ProxyAddress extends HostPort {
  /** `http` and `https` are asked by CONNECT; `https` inside TLS. */
  readonly scheme: (typeof proxySchemes)[number];
  readonly credentials?: { readonly user: string; readonly password: string };
}

/** "http://proxy.example.org:3128" */
export function formatProxy({ scheme, host, port }: ProxyAddress): string {
  return `${scheme}://${formatHostPort(host, port)}`;
}
