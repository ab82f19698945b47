/**
 * Which certificate a local TLS client gets: one with its exact name, else one with a matching wildcard, else the
 * first.
 * Rule: of two that match equally well, the first one wins. A client that asks for a name on no certificate gets the
 * first one: its own complaint about that names what is missing.
 */
import { createSecureContext, type SecureContext } from 'node:tls';
import { type Credentials, loadCredentials } from '@adit/shared/identity/credentials';

/** The certificate for the name that a client asks for; undefined if it names none. */
export type LocalCertificates = (serverName: string | undefined) => SecureContext;

/** Reads pairs of files: each certificate and the key at the same index. Throws CREDENTIALS_UNUSABLE. */
export function loadLocalPairs(certs: readonly string[], keys: readonly string[]): Credentials[] {
  return certs.map((cert, at) => loadCredentials({ cert, key: keys[at]!, role: 'server' }));
}

/** TLS 1.2 and 1.3, without client certificates. There must be a pair before the first client asks. */
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
