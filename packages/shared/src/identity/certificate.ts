/**
 * The parts of a certificate that decide who the peer is, read from its DER (RFC 5280 section 4.1).
 * Rule: names come from the exact octets, never from printed text, which a certificate can shape (CVE-2021-44532).
 * Not here: signatures, chains and dates, which OpenSSL checks.
 */
import {
  type DerElement,
  DerError,
  bitsOf,
  booleanOf,
  childrenOf,
  context,
  expectTag,
  oidOf,
  readDer,
  serialOf,
  tags,
} from './der.ts';

export interface Extension {
  readonly critical: boolean;
  readonly value: Uint8Array;
}
export type Extensions = ReadonlyMap<string, Extension>;

/** `serial` is upper-case hex without leading zero bytes; `issuer` and `subject` are the DER of the names. */
export interface CertificateFields {
  readonly serial: string;
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly extensions: Extensions;
}

export const usages = { serverAuth: '1.3.6.1.5.5.7.3.1', clientAuth: '1.3.6.1.5.5.7.3.2' } as const;
const oids = { keyUsage: '2.5.29.15', subjectAltName: '2.5.29.17', extendedKeyUsage: '2.5.29.37' } as const;

/** Reads a certificate (DER). Throws DerError. */
export function readCertificate(der: Uint8Array): CertificateFields {
  const [tbs] = childrenOf(expectTag(readDer(der, 'certificate'), tags.sequence, 'certificate'), 'certificate');
  const fields = childrenOf(expectTag(tbs, tags.sequence, 'certificate content'), 'certificate content');
  if (fields[0]?.tag === context(0, true)) fields.shift();
  const [serial, , issuer, , subject] = fields;
  return {
    serial: serialOf(serial),
    issuer: expectTag(issuer, tags.sequence, 'issuer').whole,
    subject: expectTag(subject, tags.sequence, 'subject').whole,
    extensions: readExtensions(fields.slice(6).find((field) => field.tag === context(3, true))),
  };
}

/**
 * `Extensions ::= SEQUENCE OF SEQUENCE { OID, critical BOOLEAN DEFAULT FALSE, OCTET STRING }` inside its explicit tag.
 * An extension that appears twice is refused.
 */
export function readExtensions(tagged: DerElement | undefined): Extensions {
  const extensions = new Map<string, Extension>();
  if (tagged === undefined) return extensions;
  const [list, more] = childrenOf(tagged, 'extensions');
  if (more !== undefined) throw new DerError('extensions have bytes after their end');
  return readExtensionList(list);
}

/** The same list without the explicit tag, as in the entries of a revocation list. */
export function readExtensionList(list: DerElement | undefined): Extensions {
  const extensions = new Map<string, Extension>();
  for (const entry of childrenOf(expectTag(list, tags.sequence, 'extensions'), 'extensions')) {
    const parts = childrenOf(expectTag(entry, tags.sequence, 'extension'), 'extension');
    const id = oidOf(parts.shift(), 'extension');
    const critical = parts[0]?.tag === tags.boolean && booleanOf(parts.shift()!, 'extension');
    if (extensions.has(id)) throw new DerError(`extension ${id} appears twice`);
    extensions.set(id, { critical, value: expectTag(parts.shift(), tags.octetString, 'extension').content });
    if (parts.length > 0) throw new DerError(`extension ${id} has bytes after its end`);
  }
  return extensions;
}

/**
 * Every URI of the subject alternative name: its exact octets as Latin-1, with nothing decoded, folded or dropped.
 */
export function uriNamesOf(extensions: Extensions): string[] {
  const names = extensions.get(oids.subjectAltName);
  if (names === undefined) return [];
  return childrenOf(
    expectTag(readDer(names.value, 'subject alternative name'), tags.sequence, 'subject alternative name'),
    'subject alternative name',
  )
    .filter((name) => name.tag === context(6, false))
    .map((name) => Buffer.from(name.content).toString('latin1'));
}

/** The extended key usages as OIDs; undefined if the certificate has no such extension. */
export function extendedKeyUsagesOf(extensions: Extensions): string[] | undefined {
  const usage = extensions.get(oids.extendedKeyUsage);
  if (usage === undefined) return undefined;
  return childrenOf(
    expectTag(readDer(usage.value, 'extended key usage'), tags.sequence, 'extended key usage'),
    'extended key usage',
  ).map((id) => oidOf(id, 'extended key usage'));
}

/**
 * May this CA sign certificates, and revocation lists? Without a key usage extension it may (RFC 5280 section 4.2.1.3).
 */
export function signingUsesOf(extensions: Extensions): {
  readonly certificates: boolean;
  readonly revocationLists: boolean;
} {
  const usage = extensions.get(oids.keyUsage);
  if (usage === undefined) return { certificates: true, revocationLists: true };
  const [bits = 0] = bitsOf(readDer(usage.value, 'key usage'), 'key usage', true);
  return { certificates: (bits & 0x04) !== 0, revocationLists: (bits & 0x02) !== 0 };
}
