/**
 * The roots that vouch for peers that are not ours: a proxy, or an intermediary that ends TLS before the egress.
 * Rule: never used to judge an egress; only our CA vouches for one.
 * Not here: the roots that an option adds; the caller appends them.
 */
import tls from 'node:tls';

let roots: readonly string[] | undefined;

/**
 * The roots that Node ships, those of the system if this Node can read them, and those of NODE_EXTRA_CA_CERTS; PEM.
 */
export function systemRoots(): readonly string[] {
  const { getCACertificates } = tls as { getCACertificates?: (kind: 'default' | 'system') => string[] };
  roots ??= getCACertificates
    ? [...new Set([...getCACertificates('default'), ...getCACertificates('system')])]
    : tls.rootCertificates;
  return roots;
}
