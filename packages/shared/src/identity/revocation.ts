/**
 * Revocation lists (X.509 CRL v2, RFC 5280 section 5), read and verified by us, so that a reload needs no new listener
 * and a refusal has a reason.
 * Rule: fails closed. A list that is damaged, partial (delta, scoped, indirect), without nextUpdate or without the
 * signature of an anchor is refused at load. If the list of a certificate's issuer is missing or past its nextUpdate,
 * the certificate is refused.
 * Not here: fetching lists, OCSP.
 */
import { type KeyObject, verify } from 'node:crypto';
import { AditError, messageOf } from '../errors.ts';
import { type Extensions, readCertificate, readExtensionList, readExtensions, signingUsesOf } from './certificate.ts';
import {
  type DerElement,
  DerError,
  bitsOf,
  childrenOf,
  context,
  expectTag,
  oidOf,
  readDer,
  serialOf,
  smallNumberOf,
  tags,
  timeOf,
} from './der.ts';
import { pemBlocks, readNamedFile } from './pem.ts';
import type { TrustAnchors } from './trust.ts';

/** Anything with the DER of a certificate: an X509Certificate. */
export interface HasDer {
  readonly raw: Uint8Array;
}
export interface Revocation {
  readonly reason: string;
  readonly at: Date;
}

/** `thisUpdate` and `nextUpdate` are the earliest among the lists of the file. */
export interface RevocationList {
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  /** How many certificates are revoked. */
  readonly size: number;
  /** The entry of this certificate: by its issuer's name and its serial. */
  isRevoked(certificate: HasDer): Revocation | undefined;
  /** Does the file hold a list of this certificate's issuer? Without one, refuse the certificate. */
  covers(certificate: HasDer): boolean;
  /** Is a list past its nextUpdate? Then newer revocations may be missing: refuse. */
  isStale(now: Date): boolean;
}

interface ParsedList {
  readonly issuer: string;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  readonly revoked: ReadonlyMap<string, Revocation>;
}

const maxBytes = 64 * 1024 * 1024;
const reasons = [
  'unspecified',
  'key compromise',
  'CA compromise',
  'affiliation changed',
  'superseded',
  'cessation of operation',
  'certificate hold',
  'unknown',
  'removed from list',
  'privilege withdrawn',
  'AA compromise',
] as const;
const oids = {
  reasonCode: '2.5.29.21',
  invalidityDate: '2.5.29.24',
  crlNumber: '2.5.29.20',
  authorityKeyIdentifier: '2.5.29.35',
  issuingDistributionPoint: '2.5.29.28',
  deltaCrlIndicator: '2.5.29.27',
} as const;
const signatures: Readonly<Record<string, { readonly type: string; readonly digest: string | null }>> = {
  '1.2.840.10045.4.3.2': { type: 'ec', digest: 'sha256' },
  '1.2.840.10045.4.3.3': { type: 'ec', digest: 'sha384' },
  '1.2.840.10045.4.3.4': { type: 'ec', digest: 'sha512' },
  '1.2.840.113549.1.1.11': { type: 'rsa', digest: 'sha256' },
  '1.2.840.113549.1.1.12': { type: 'rsa', digest: 'sha384' },
  '1.2.840.113549.1.1.13': { type: 'rsa', digest: 'sha512' },
  '1.3.101.112': { type: 'ed25519', digest: null },
};

/** Reads and verifies the lists in a file, PEM (one or more) or DER (one). Throws CONFIG_INVALID. */
export function loadRevocationList(path: string, anchors: TrustAnchors): RevocationList {
  return parseRevocationList(readNamedFile(path, 'the revocation list', 'CONFIG_INVALID'), anchors, path);
}

/**
 * The same for bytes already read; `source` names them in complaints. Throws CONFIG_INVALID and nothing else, whatever
 * the bytes.
 */
export function parseRevocationList(bytes: Uint8Array, anchors: TrustAnchors, source = 'the list'): RevocationList {
  try {
    return combined(listsIn(bytes).map((der) => readList(der, anchors)));
  } catch (error) {
    throw new AditError('CONFIG_INVALID', `The revocation list ${source} is unusable: ${messageOf(error)}.`, {
      cause: error,
    });
  }
}

function listsIn(bytes: Uint8Array): Uint8Array[] {
  if (bytes.length > maxBytes) throw new DerError(`it is larger than ${maxBytes} bytes`);
  if (bytes[0] === tags.sequence) return [bytes];
  const blocks = pemBlocks(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1'));
  if (blocks === undefined) throw new DerError('it is cut off or damaged');
  if (blocks.length === 0) throw new DerError('it holds no list in PEM or DER form');
  const stranger = blocks.find((block) => block.label !== 'X509 CRL');
  if (stranger !== undefined) throw new DerError(`it holds a ${stranger.label.toLowerCase().slice(0, 40)}`);
  return blocks.map((block) => block.der);
}

function combined(lists: readonly ParsedList[]): RevocationList {
  const byIssuer = new Map<string, ParsedList>();
  for (const list of lists) {
    if (byIssuer.has(list.issuer)) throw new DerError('it holds two lists of the same CA');
    byIssuer.set(list.issuer, list);
  }
  const earliest = (dates: readonly Date[]): Date => new Date(Math.min(...dates.map(Number)));
  const listFor = (certificate: HasDer): ParsedList | undefined =>
    byIssuer.get(keyOf(readCertificate(certificate.raw).issuer));
  const nextUpdate = earliest(lists.map((list) => list.nextUpdate));
  return {
    thisUpdate: earliest(lists.map((list) => list.thisUpdate)),
    nextUpdate,
    size: lists.reduce((sum, list) => sum + list.revoked.size, 0),
    isRevoked: (certificate) => listFor(certificate)?.revoked.get(readCertificate(certificate.raw).serial),
    covers: (certificate) => listFor(certificate) !== undefined,
    isStale: (now) => now.getTime() > nextUpdate.getTime(),
  };
}

/** `CertificateList ::= SEQUENCE { tbsCertList, signatureAlgorithm, signatureValue }` */
function readList(der: Uint8Array, anchors: TrustAnchors): ParsedList {
  const [tbs, algorithm, signature, more] = childrenOf(expectTag(readDer(der, 'list'), tags.sequence, 'list'), 'list');
  if (more !== undefined) throw new DerError('list has more parts than it should');
  const fields = childrenOf(expectTag(tbs, tags.sequence, 'list content'), 'list content');
  if (smallNumberOf(fields.shift(), tags.integer, 'version') !== 1) throw new DerError('it is not a version 2 list');
  const inner = expectTag(fields.shift(), tags.sequence, 'signature algorithm');
  if (!Buffer.from(inner.whole).equals(expectTag(algorithm, tags.sequence, 'signature algorithm').whole))
    throw new DerError('it names two signature algorithms');
  const issuer = keyOf(expectTag(fields.shift(), tags.sequence, 'issuer').whole);
  verifySignature(
    { issuer, content: tbs!.whole, algorithm: inner, signature: bitsOf(signature, 'signature') },
    anchors,
  );
  const thisUpdate = timeOf(fields.shift(), 'thisUpdate');
  const next = takeIf(fields, tags.utcTime, tags.generalizedTime);
  if (next === undefined) throw new DerError('it has no nextUpdate, so that nobody knows when it is out of date');
  const nextUpdate = timeOf(next, 'nextUpdate');
  const revoked = readEntries(takeIf(fields, tags.sequence));
  const extensions = readExtensions(takeIf(fields, context(0, true)));
  if (fields.length > 0) throw new DerError('list has more parts than it should');
  if (extensions.has(oids.deltaCrlIndicator) || extensions.has(oids.issuingDistributionPoint))
    throw new DerError('it is a partial list (delta or scoped); give the complete one');
  refuseCritical(extensions, [oids.crlNumber, oids.authorityKeyIdentifier]);
  return { issuer, thisUpdate, nextUpdate, revoked };
}

/** The next field if it has one of these tags: an OPTIONAL of ASN.1. */
function takeIf(fields: DerElement[], ...wanted: readonly number[]): DerElement | undefined {
  return fields[0] !== undefined && wanted.includes(fields[0].tag) ? fields.shift() : undefined;
}

/** `SEQUENCE OF SEQUENCE { serial INTEGER, revocationDate Time, crlEntryExtensions OPTIONAL }` */
function readEntries(list: DerElement | undefined): Map<string, Revocation> {
  const revoked = new Map<string, Revocation>();
  if (list === undefined) return revoked;
  for (const entry of childrenOf(list, 'entries')) {
    const [serial, date, tagged, more] = childrenOf(expectTag(entry, tags.sequence, 'entry'), 'entry');
    if (more !== undefined) throw new DerError('entry has more parts than it should');
    const extensions: Extensions = tagged === undefined ? new Map() : readExtensionList(tagged);
    // In an indirect list, a critical extension of an entry names another issuer: to ignore it would revoke the wrong
    // certificates and miss the right ones.
    refuseCritical(extensions, [oids.reasonCode, oids.invalidityDate]);
    const code = extensions.get(oids.reasonCode);
    const reason = code === undefined ? 0 : smallNumberOf(readDer(code.value, 'reason'), tags.enumerated, 'reason');
    revoked.set(serialOf(serial), { reason: reasons[reason] ?? 'unknown', at: timeOf(date, 'revocation date') });
  }
  return revoked;
}

function refuseCritical(extensions: Extensions, known: readonly string[]): void {
  for (const [id, { critical }] of extensions)
    if (critical && !known.includes(id))
      throw new DerError(`it has the critical extension ${id}, which is not understood here`);
}

interface Signed {
  readonly issuer: string;
  readonly content: Uint8Array;
  readonly algorithm: DerElement;
  readonly signature: Uint8Array;
}

function verifySignature({ issuer, content, algorithm, signature }: Signed, anchors: TrustAnchors): void {
  const scheme = signatures[oidOf(childrenOf(algorithm, 'signature algorithm')[0], 'signature algorithm')];
  if (scheme === undefined) throw new DerError('its signature algorithm is not supported');
  const namesakes = anchors.certificates.filter((anchor) => keyOf(readCertificate(anchor.raw).subject) === issuer);
  if (namesakes.length === 0) throw new DerError('it was issued by a CA that is not trusted here');
  const signers = namesakes.filter((anchor) => signingUsesOf(readCertificate(anchor.raw).extensions).revocationLists);
  if (signers.length === 0) throw new DerError('its CA may not sign revocation lists (key usage lacks cRLSign)');
  const proven = (key: KeyObject): boolean =>
    key.asymmetricKeyType === scheme.type && verify(scheme.digest, content, { key, dsaEncoding: 'der' }, signature);
  if (!signers.some((anchor) => proven(anchor.publicKey))) throw new DerError('its signature does not verify');
}

function keyOf(name: Uint8Array): string {
  return Buffer.from(name.buffer, name.byteOffset, name.length).toString('latin1');
}
