/**
 * The paths of files that a policy names, for TLS and next hops.
 * Rule: a relative path begins at the folder of the policy.
 * Not here: reading them (service-tls.ts, next-hop.ts), and blocklists (policy/blocklists.ts).
 */
import { isAbsolute, join } from 'node:path';
import type { ClientTlsFiles } from '@adit/shared/carrier/proxy-files';

/** The path of one file. */
export function policyPath(folder: string, file: string): string {
  return isAbsolute(file) ? file : join(folder, file);
}

/** The paths of the files for TLS, as far as they are named. */
export function tlsPaths(folder: string, { ca, cert, key }: ClientTlsFiles): ClientTlsFiles {
  const [caFile, certFile, keyFile] = [ca, cert, key].map((file) => file && policyPath(folder, file));
  return { ca: caFile, cert: certFile, key: keyFile };
}
