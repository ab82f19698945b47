/**
 * The files that a proxy on the way is configured by: its URL with a password, its CA, our certificate for it.
 * Rule: what comes back can be used right now; otherwise one sentence names the file and what is wrong with it. A file
 * with the URL of a proxy is a secret: it is refused where others may read it, as a key is.
 * Not here: which proxy serves which connection.
 */
import { parseProxyFile } from '../config/values/proxy-url.ts';
import { AditError } from '../errors.ts';
import { loadCredentials, readSecretFile, type Credentials } from '../identity/credentials.ts';
import { loadTrustAnchors, type TrustAnchors } from '../identity/trust.ts';
import type { ProxyAddress } from '../protocol/proxy-address.ts';

/** Paths. A certificate counts with its key only. */
export interface ClientTlsFiles {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** What a TLS client trusts, and what it shows. */
export interface ClientTls {
  readonly ca?: TrustAnchors;
  readonly client?: Credentials;
}

/** Reads a file that holds the URL of a proxy. Throws CONFIG_INVALID. */
export function readProxyFile(path: string): ProxyAddress {
  const parsed = parseProxyFile(readSecretFile(path, 'proxy file', 'CONFIG_INVALID').toString('utf8'));
  if (!parsed.ok) throw new AditError('CONFIG_INVALID', `The proxy file ${path} is unusable: ${parsed.reason}.`);
  return parsed.value;
}

/** Reads the CA, and the certificate with its key, as far as they are named. Throws CREDENTIALS_UNUSABLE. */
export function loadClientTls({ ca, cert, key }: ClientTlsFiles): ClientTls {
  return {
    ...(ca !== undefined && { ca: loadTrustAnchors(ca) }),
    ...(cert !== undefined && key !== undefined && { client: loadCredentials({ cert, key, role: 'client' }) }),
  };
}
