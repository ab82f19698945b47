/**
 * A certificate authority in memory: its key and its certificate.
 * Rule: it signs leaf certificates and revocation lists, and no other CA (pathlen 0). Its trust domain is the URI SAN
 * spiffe://TRUST-DOMAIN of its own certificate, so certificate and key are all it needs to issue.
 * Not here: files (store), the passphrase (private-key.ts).
 */
import { createPublicKey, X509Certificate, type KeyObject } from 'node:crypto';
import { AditError, messageOf } from '@adit/shared/errors';
import { readCertificate, signingUsesOf, uriNamesOf } from '@adit/shared/identity/certificate';
import { existing, pem, type Asn1 } from './asn1.ts';
import {
  alternativeNames,
  authorityConstraints,
  authorityKey,
  authorityUsage,
  keyIdentifier,
  nameConstraints,
  subjectKey,
  type Constraints,
} from './extensions.ts';
import { noConstraints, readConstraints } from './constraints.ts';
import { checkTrustDomain, defaultTrustDomain } from './names.ts';
import { newPrivateKey } from './private-key.ts';
import { newSerial } from './serial.ts';
import { certificateContent, commonName, signed } from './signed.ts';
import { defaultDays, validity } from './validity.ts';

export interface Authority {
  readonly certificate: X509Certificate;
  readonly certificatePem: string;
  readonly key: KeyObject;
  readonly trustDomain: string;
  readonly constraints: Constraints;
}

export interface AuthorityOptions {
  /** Default `adit.internal`. */
  readonly trustDomain?: string;
  /** Default 3650. */
  readonly days?: number;
  /** Names that it may sign, from `checkConstraints`; default all. */
  readonly constraints?: Constraints;
  readonly now?: Date;
}

/** A new CA with a new key. Fails with NAME_INVALID (trust domain) and USAGE (days). */
export function createAuthority({
  trustDomain = defaultTrustDomain,
  days = defaultDays.authority,
  constraints = noConstraints,
  now = new Date(),
}: AuthorityOptions = {}): Authority {
  checkTrustDomain(trustDomain);
  const key = newPrivateKey();
  const identifier = keyIdentifier(key);
  // The name contains the key's identifier, so that two CAs of one trust domain differ while one replaces the other.
  const subject = commonName(`Adit CA ${trustDomain.slice(0, 40)} ${identifier.toString('hex', 0, 4)}`);
  const constrained = constraints.dns.length + constraints.uri.length > 0;
  const content = certificateContent({
    serial: newSerial(),
    issuer: subject,
    subject,
    ...validity(days, now),
    publicKey: key,
    extensions: [
      authorityConstraints(),
      authorityUsage(),
      alternativeNames([`spiffe://${trustDomain}`]),
      ...(constrained ? [nameConstraints(constraints)] : []),
      subjectKey(key),
      authorityKey(identifier),
    ],
  });
  return readAuthority(pem('CERTIFICATE', signed(content, key)), key, 'the new CA');
}

/** Reads a CA from its certificate and its key; `source` names the certificate. Fails with CA_CORRUPT. */
export function readAuthority(certificatePem: string, key: KeyObject, source: string): Authority {
  const { certificate, trustDomain, constraints } = readAuthorityCertificate(certificatePem, source);
  if (!certificate.checkPrivateKey(key)) throw corrupt(source, 'its key is that of another certificate');
  return { certificate, certificatePem, key, trustDomain, constraints };
}

/** Reads the public part of a CA, without the key. Fails with CA_CORRUPT. */
export function readAuthorityCertificate(certificatePem: string, source: string): Omit<Authority, 'key'> {
  try {
    const certificate = new X509Certificate(certificatePem);
    const { extensions } = readCertificate(certificate.raw);
    const uses = signingUsesOf(extensions);
    if (!certificate.ca || !uses.certificates || !uses.revocationLists)
      throw new Error('it is not a CA that signs certificates and revocation lists');
    const [uri, ...more] = uriNamesOf(extensions);
    if (uri === undefined || more.length > 0 || !uri.startsWith('spiffe://'))
      throw new Error('it names no trust domain (URI SAN spiffe://TRUST-DOMAIN)');
    return {
      certificate,
      certificatePem,
      trustDomain: checkTrustDomain(uri.slice('spiffe://'.length)),
      constraints: readConstraints(extensions),
    };
  } catch (error) {
    throw corrupt(source, messageOf(error), error);
  }
}

/** The issuer's name as it is in its certificate, byte for byte. */
export function issuerName(authority: Authority): Asn1 {
  return existing(readCertificate(authority.certificate.raw).subject);
}

/** The identifier that leafs and lists carry to find this CA. */
export function issuerKeyIdentifier(authority: Authority): Buffer {
  return keyIdentifier(createPublicKey(authority.key));
}

/** Fails with CREDENTIALS_UNUSABLE when the CA is past its end or before its start. */
export function checkInForce({ certificate }: Authority, now: Date): void {
  if (certificate.validToDate <= now)
    throw new AditError(
      'CREDENTIALS_UNUSABLE',
      `The CA expired on ${certificate.validToDate.toISOString()}: make a new one with "adit ca init" in ` +
        'another --dir.',
    );
  if (certificate.validFromDate > now)
    throw new AditError(
      'CREDENTIALS_UNUSABLE',
      `The CA is not valid before ${certificate.validFromDate.toISOString()}, and it is now ` +
        `${now.toISOString()}: set the clock.`,
    );
}

function corrupt(source: string, why: string, cause?: unknown): AditError {
  return new AditError('CA_CORRUPT', `The CA certificate ${source} cannot be used: ${why.replace(/\.$/, '')}.`, {
    cause,
  });
}
