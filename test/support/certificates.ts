/**
 * Certificates of a test in a folder, as users have them: ca.crt, edge.crt and .key, NAME.crt and .key.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CrlOptions, type Issued, type LeafOptions, newCa, newClient, newCrl, newServer, pem } from './issuer.ts';
import { temporaryFolder } from './scope.ts';

export interface KeyPair {
  readonly cert: string;
  readonly key: string;
  readonly issued: Issued;
}

export interface Certificates {
  readonly folder: string;
  readonly authority: Issued;
  readonly ca: string;
  readonly egress: KeyPair;
  /** A client certificate; groups become URIs of it. */
  client(name: string, options?: LeafOptions & { readonly groups?: readonly string[] }): KeyPair;
  /** Writes a revocation list (always to the same file) and says where. */
  revoke(options: CrlOptions): string;
  /** Writes any certificate and its key. */
  write(name: string, issued: Issued): KeyPair;
}

/** A CA of example.org and an egress certificate for localhost and 127.0.0.1. */
export function certificates(): Certificates {
  const folder = temporaryFolder();
  const authority = newCa('Example CA');
  const ca = join(folder, 'ca.crt');
  writeFileSync(ca, authority.certPem);
  const write = (name: string, issued: Issued): KeyPair => {
    const pair = { cert: join(folder, `${name}.crt`), key: join(folder, `${name}.key`), issued };
    writeFileSync(pair.cert, issued.certPem);
    writeFileSync(pair.key, issued.keyPem, { mode: 0o600 });
    return pair;
  };
  return {
    folder,
    authority,
    ca,
    write,
    egress: write('edge', newServer(authority)),
    client: (name, { groups = [], ...options } = {}) =>
      write(
        name,
        newClient(authority, {
          subject: name,
          uris: [
            `spiffe://example.org/client/${name}`,
            ...groups.map((group) => `spiffe://example.org/group/${group}`),
          ],
          ...options,
        }),
      ),
    revoke: (options) => {
      const file = join(folder, 'ca.crl');
      writeFileSync(file, pem('X509 CRL', newCrl(authority, options)));
      return file;
    },
  };
}
