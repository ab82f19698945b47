/** `openssl s_client` at a port of this machine, and the certificates it is shown. */
import { X509Certificate } from 'node:crypto';
import type { KeyPair } from './certificates.ts';
import { type Finished, run } from './child.ts';

/** Makes a handshake and leaves. */
export function tlsHandshake(port: number, ca: string, ...args: readonly string[]): Promise<Finished> {
  return run('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-CAfile', ca, ...args], { input: '' });
}

/** Of the first certificate in what `openssl s_client -showcerts` printed. */
export function shownFingerprint({ stdout }: Finished): string {
  const [certificate] = /-----BEGIN CERTIFICATE-----[^]+?-----END CERTIFICATE-----/.exec(stdout)!;
  return new X509Certificate(certificate).fingerprint256;
}

export function fingerprintOf({ issued }: KeyPair): string {
  return new X509Certificate(issued.certPem).fingerprint256;
}
