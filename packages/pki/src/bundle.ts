/**
 * PKCS#12: certificate, CA and key in one file under a password, for browsers, phones and Java.
 * Rule: certificates and key are encrypted with AES-256 under PBKDF2-SHA256, and the MAC is SHA-256. OpenSSL 3, NSS,
 * GnuTLS and Java 17 read that.
 * Spec: RFC 7292. Appendix B derives the MAC key; one block is enough because the key is as long as the hash.
 */
import { createHash, createHmac, randomBytes, X509Certificate, type KeyObject } from 'node:crypto';
import { AditError } from '@adit/shared/errors';
import { childrenOf, DerError, readDer, tags } from '@adit/shared/identity/der';
import {
  bmpString,
  encode,
  nothing,
  octetString,
  oid,
  sequence,
  set,
  smallInteger,
  tagged,
  taggedString,
  type Asn1,
} from './asn1.ts';
import { encryptWithPassword } from './private-key.ts';

const oids = {
  data: '1.2.840.113549.1.7.1',
  encryptedData: '1.2.840.113549.1.7.6',
  x509Certificate: '1.2.840.113549.1.9.22.1',
  friendlyName: '1.2.840.113549.1.9.20',
  localKeyId: '1.2.840.113549.1.9.21',
  shroudedKeyBag: '1.2.840.113549.1.12.10.1.2',
  certBag: '1.2.840.113549.1.12.10.1.3',
  sha256: '2.16.840.1.101.3.4.2.1',
} as const;
const macRounds = 100_000;

export interface BundleOptions {
  readonly key: KeyObject;
  /** PEM: the leaf. */
  readonly certificatePem: string;
  readonly caPem: string;
  /** The name that programs show for it. */
  readonly name: string;
  /** Not empty. */
  readonly password: string;
}

/** Makes the bytes of a PKCS#12 file. Fails with USAGE when the password is empty. */
export function createBundle({ key, certificatePem, caPem, name, password }: BundleOptions): Buffer {
  if (password === '') throw new AditError('USAGE', 'A PKCS#12 file needs a password that is not empty.');
  const leaf = new X509Certificate(certificatePem).raw;
  const attributes = set(
    attribute(oids.friendlyName, bmpString(name)),
    attribute(oids.localKeyId, octetString(createHash('sha1').update(leaf).digest())),
  );
  const certificates = sequence(
    sequence(...certificateBag(leaf), attributes),
    sequence(...certificateBag(new X509Certificate(caPem).raw)),
  );
  const encryptedKey = encryptWithPassword(key.export({ type: 'pkcs8', format: 'der' }), password);
  const keys = sequence(
    sequence(
      oid(oids.shroudedKeyBag),
      tagged(0, sequence(encryptedKey.algorithm, octetString(encryptedKey.ciphertext))),
      attributes,
    ),
  );
  const safe = encode(sequence(encryptedContent(encode(certificates), password), plainContent(encode(keys))));
  return encode(sequence(smallInteger(3), plainContent(safe), mac(safe, password)));
}

/** Whether the bytes begin as PKCS#12 does, `SEQUENCE { INTEGER 3`, and are complete. */
export function isBundle(bytes: Uint8Array): boolean {
  try {
    const [version] = childrenOf(readDer(bytes, 'file'), 'file');
    return (
      bytes[0] === tags.sequence &&
      version?.tag === tags.integer &&
      version.content.length === 1 &&
      version.content[0] === 3
    );
  } catch (error) {
    if (error instanceof DerError) return false;
    throw error;
  }
}

function certificateBag(der: Uint8Array): Asn1[] {
  return [oid(oids.certBag), tagged(0, sequence(oid(oids.x509Certificate), tagged(0, octetString(der))))];
}

function attribute(id: string, value: Asn1): Asn1 {
  return sequence(oid(id), set(value));
}
function plainContent(der: Uint8Array): Asn1 {
  return sequence(oid(oids.data), tagged(0, octetString(der)));
}

function encryptedContent(der: Uint8Array, password: string): Asn1 {
  const { algorithm, ciphertext } = encryptWithPassword(der, password);
  return sequence(
    oid(oids.encryptedData),
    tagged(0, sequence(smallInteger(0), sequence(oid(oids.data), algorithm, taggedString(0, ciphertext)))),
  );
}

function mac(safe: Uint8Array, password: string): Asn1 {
  const salt = randomBytes(16);
  const digest = createHmac('sha256', macKey(password, salt)).update(safe).digest();
  return sequence(
    sequence(sequence(oid(oids.sha256), nothing()), octetString(digest)),
    octetString(salt),
    smallInteger(macRounds),
  );
}

/** RFC 7292 appendix B.2 with ID 3: `H^rounds(D || S || P)`; D, S and P fill whole blocks of 64 bytes. */
function macKey(password: string, salt: Uint8Array): Buffer {
  const text = Buffer.from(`${password}\0`, 'utf16le').swap16();
  let hash = createHash('sha256').update(Buffer.alloc(64, 3)).update(filled(salt)).update(filled(text)).digest();
  for (let round = 1; round < macRounds; round++) hash = createHash('sha256').update(hash).digest();
  return hash;
}

function filled(bytes: Uint8Array): Buffer {
  return Buffer.alloc(Math.ceil(bytes.length / 64) * 64, bytes);
}
