/**
 * The extensions of our certificates and revocation lists, one function each (RFC 5280 sections 4.2 and 5.2).
 * Rule: an extension that a verifier must understand is critical. Constraints name DNS names and URIs only, because
 * peers built on BoringSSL refuse a chain with IP constraints.
 */
import { createHash, type KeyObject } from 'node:crypto';
import { parseAddress } from '@adit/shared/protocol/address';
import {
  bitString,
  encode,
  octetString,
  oid,
  sequence,
  smallInteger,
  tagged,
  taggedString,
  yes,
  type Asn1,
} from './asn1.ts';
import type { Host } from './names.ts';

export const oids = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  crlNumber: '2.5.29.20',
  reasonCode: '2.5.29.21',
  nameConstraints: '2.5.29.30',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

const critical = true;

/** Any extension: its OID, whether it is critical, its value. */
export function extension(id: string, isCritical: boolean, value: Asn1): Asn1 {
  return sequence(oid(id), ...(isCritical ? [yes()] : []), octetString(encode(value)));
}

/** A CA that signs leaf certificates and no other CA. */
export function authorityConstraints(): Asn1 {
  return extension(oids.basicConstraints, critical, sequence(yes(), smallInteger(0)));
}
export function leafConstraints(): Asn1 {
  return extension(oids.basicConstraints, critical, sequence());
}

/** keyCertSign (bit 5) and cRLSign (bit 6). */
export function authorityUsage(): Asn1 {
  return extension(oids.keyUsage, critical, bitString(Uint8Array.of(0x06), 1));
}

/** digitalSignature (bit 0): TLS 1.3 needs no other. */
export function leafUsage(): Asn1 {
  return extension(oids.keyUsage, critical, bitString(Uint8Array.of(0x80), 7));
}
export function purpose(usage: 'clientAuth' | 'serverAuth'): Asn1 {
  return extension(oids.extendedKeyUsage, false, sequence(oid(oids[usage])));
}

export function alternativeNames(uris: readonly string[], hosts: readonly Host[] = []): Asn1 {
  return extension(
    oids.subjectAltName,
    false,
    sequence(
      ...hosts.map((host) =>
        host.kind === 'dns' ? taggedString(2, Buffer.from(host.text)) : taggedString(7, parseAddress(host.text)!),
      ),
      ...uris.map((uri) => taggedString(6, Buffer.from(uri))),
    ),
  );
}

/** The names that the CA may sign. A kind of name without entries is not constrained. */
export interface Constraints {
  readonly dns: readonly string[];
  readonly uri: readonly string[];
}

export function nameConstraints({ dns, uri }: Constraints): Asn1 {
  const subtrees = [
    ...dns.map((name) => taggedString(2, Buffer.from(name))),
    ...uri.map((host) => taggedString(6, Buffer.from(host))),
  ];
  return extension(oids.nameConstraints, critical, sequence(tagged(0, ...subtrees.map((base) => sequence(base)))));
}

/** The first 160 bits of the SHA-256 of the public key (RFC 7093 section 2, method 1). */
export function keyIdentifier(key: KeyObject): Buffer {
  const { x, y } = key.export({ format: 'jwk' });
  const point = Buffer.concat([Uint8Array.of(4), Buffer.from(x!, 'base64url'), Buffer.from(y!, 'base64url')]);
  return createHash('sha256').update(point).digest().subarray(0, 20);
}
export function subjectKey(key: KeyObject): Asn1 {
  return extension(oids.subjectKeyIdentifier, false, octetString(keyIdentifier(key)));
}
export function authorityKey(identifier: Uint8Array): Asn1 {
  return extension(oids.authorityKeyIdentifier, false, sequence(taggedString(0, identifier)));
}
export function crlNumber(number: number): Asn1 {
  return extension(oids.crlNumber, false, smallInteger(number));
}
