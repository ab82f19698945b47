/**
 * Which certificate a local TLS client is shown: one that has its name, before one that has it by a wildcard, before
 * the first of all.
 * Rule: of two that fit alike the first counts. A client whose name none has is shown the first: it says better than we
 * could what it misses.
 */
import { createSecureContext, type SecureContext } from 'node:tls';
import { type Credentials, loadCredentials } from '@adit/shared/identity/credentials';

/** For the name that a client asks for, or for one that names none. */
export type LocalCertificates = (serverName: string | undefined) => SecureContext;

/** Reads pairs of files, each certificate with the key of the same place. Throws CREDENTIALS_UNUSABLE. */
export function loadLocalCertificates(certs: readonly string[], keys: readonly string[]): LocalCertificates {
  return localCertificates(certs.map((cert, at) => loadCredentials({ cert, key: keys[at]!, role: 'server' })));
}

/** One at least, where a client ever asks. TLS 1.2 and 1.3; no client certificates. */
export function localCertificates(
  pairs: readonly Pick<Credentials, 'certPem' | 'keyPem' | 'leaf'>[],
): LocalCertificates {
  const shown = pairs.map(({ certPem, keyPem, leaf }) => ({
    leaf,
    context: createSecureContext({ cert: certPem, key: keyPem, minVersion: 'TLSv1.2' }),
  }));
  return (serverName) => {
    const has =
      (wildcards: boolean) =>
      ({ leaf }: (typeof shown)[number]): boolean =>
        serverName !== undefined && leaf.checkHost(serverName, { wildcards, subject: 'never' }) !== undefined;
    return (shown.find(has(false)) ?? shown.find(has(true)) ?? shown[0]!).context;
  };
}
