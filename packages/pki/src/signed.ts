/**
 * The form that certificates, requests and revocation lists share (content, algorithm, signature), and the content of a
 * certificate.
 * Rule: node-forge encodes, node:crypto signs: ECDSA P-256 with SHA-256, without parameters (RFC 5758 section 3.2).
 * Spec: RFC 5280 section 4.1.
 */
import { createPublicKey, sign, type KeyObject } from 'node:crypto';
import {
  bitString,
  encode,
  existing,
  integer,
  oid,
  sequence,
  set,
  smallInteger,
  tagged,
  time,
  utf8String,
  type Asn1,
} from './asn1.ts';
import { serialBytes } from './serial.ts';

const oids = { ecdsaWithSha256: '1.2.840.10045.4.3.2', commonName: '2.5.4.3' } as const;

/** AlgorithmIdentifier of our signatures. */
export function signatureAlgorithm(): Asn1 {
  return sequence(oid(oids.ecdsaWithSha256));
}

/** `SEQUENCE { content, signatureAlgorithm, signature }` as DER. */
export function signed(content: Asn1, key: KeyObject): Buffer {
  const signature = sign('sha256', encode(content), { key, dsaEncoding: 'der' });
  return encode(sequence(content, signatureAlgorithm(), bitString(signature)));
}

/** A distinguished name that holds one common name. */
export function commonName(text: string): Asn1 {
  return sequence(set(sequence(oid(oids.commonName), utf8String(text))));
}

/** SubjectPublicKeyInfo of a public or private key, as node:crypto writes it. */
export function publicKeyOf(key: KeyObject): Asn1 {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return existing(publicKey.export({ type: 'spki', format: 'der' }));
}

export interface CertificateContent {
  /** Hex. */
  readonly serial: string;
  readonly issuer: Asn1;
  readonly subject: Asn1;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly publicKey: KeyObject;
  readonly extensions: readonly Asn1[];
}

/** TBSCertificate, version 3. */
export function certificateContent({
  serial,
  issuer,
  subject,
  notBefore,
  notAfter,
  publicKey,
  extensions,
}: CertificateContent): Asn1 {
  return sequence(
    tagged(0, smallInteger(2)),
    integer(serialBytes(serial)),
    signatureAlgorithm(),
    issuer,
    sequence(time(notBefore), time(notAfter)),
    subject,
    publicKeyOf(publicKey),
    tagged(3, sequence(...extensions)),
  );
}
