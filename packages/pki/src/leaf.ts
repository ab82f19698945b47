/**
 * Certificates for clients and egresses, issued by an Authority.
 * Rule: a certificate has one purpose (clientAuth or serverAuth, never both). Every name comes from a checked Subject,
 * none from a request.
 * Names: a client has the URI spiffe://TD/client/NAME and a URI spiffe://TD/group/GROUP for each group. An egress has
 * its hosts and the URI spiffe://TD/egress/NAME. The common name is NAME.
 */
import { createPublicKey, X509Certificate, type KeyObject } from 'node:crypto';
import { pem } from './asn1.ts';
import { checkInForce, issuerKeyIdentifier, issuerName, type Authority } from './authority.ts';
import { checkPermitted } from './constraints.ts';
import { alternativeNames, authorityKey, leafConstraints, leafUsage, purpose, subjectKey } from './extensions.ts';
import { spiffeUri, type Subject } from './names.ts';
import { checkKeyType } from './request.ts';
import { newSerial } from './serial.ts';
import { certificateContent, commonName, signed } from './signed.ts';
import { defaultDays, validity } from './validity.ts';

export interface Leaf {
  readonly certificate: X509Certificate;
  readonly certificatePem: string;
  /** Upper-case hex without leading zero bytes. */
  readonly serial: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

export interface LeafOptions {
  /** P-256; the holder has the private key. */
  readonly publicKey: KeyObject;
  /** Default 90; never longer than the CA is valid. */
  readonly days?: number;
  readonly now?: Date;
}

/**
 * Signs a certificate. Fails with NAME_INVALID (outside the constraints), USAGE (days), REQUEST_INVALID (key),
 * CREDENTIALS_UNUSABLE (the CA is not in force).
 */
export function issueLeaf(
  authority: Authority,
  subject: Subject,
  { publicKey, days = defaultDays.leaf, now = new Date() }: LeafOptions,
): Leaf {
  checkInForce(authority, now);
  checkPermitted(authority.constraints, subject);
  const holder = publicKey.type === 'private' ? createPublicKey(publicKey) : publicKey;
  checkKeyType(holder);
  const serial = newSerial();
  const dates = validity(days, now, authority.certificate.validToDate);
  const content = certificateContent({
    serial,
    issuer: issuerName(authority),
    subject: commonName(subject.name),
    ...dates,
    publicKey: holder,
    extensions: [
      leafConstraints(),
      leafUsage(),
      purpose(subject.kind === 'client' ? 'clientAuth' : 'serverAuth'),
      namesOf(authority.trustDomain, subject),
      subjectKey(holder),
      authorityKey(issuerKeyIdentifier(authority)),
    ],
  });
  const der = signed(content, authority.key);
  return { certificate: new X509Certificate(der), certificatePem: pem('CERTIFICATE', der), serial, ...dates };
}

function namesOf(domain: string, subject: Subject): ReturnType<typeof alternativeNames> {
  const uri = spiffeUri(domain, subject.kind, subject.name);
  return subject.kind === 'client'
    ? alternativeNames([uri, ...subject.groups.map((group) => spiffeUri(domain, 'group', group))])
    : alternativeNames([uri], subject.hosts);
}
