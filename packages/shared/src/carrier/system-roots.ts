/**
 * The roots that vouch for what is not ours: a proxy, or what ends TLS before the egress.
 * Rule: never used to judge an egress: only our CA vouches for one.
 */
import tls from 'node:tls';

let roots: readonly string[] | undefined;

/**
 * The roots that Node brings, those of the system where this Node can read them, and those of NODE_EXTRA_CA_CERTS; PEM.
 */
export function systemRoots(): readonly string[] {
  const { getCACertificates } = tls as { getCACertificates?: (kind: 'default' | 'system') => string[] };
  roots ??= getCACertificates
    ? [...new Set([...getCACertificates('default'), ...getCACertificates('system')])]
    : tls.rootCertificates;
  return roots;
}
