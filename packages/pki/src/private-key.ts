/**
 * Makes private keys of P-256, and writes and reads them as PKCS#8 PEM, with or without a passphrase.
 * Rule: PBKDF2-HMAC-SHA256 stretches a passphrase in 600,000 rounds; the export of Node uses 2,048. No error contains
 * the key or anything derived from it.
 * Spec: RFC 5208 (PKCS#8), RFC 8018 section 6.2 (PBES2); `openssl pkey -passin` reads both.
 */
import {
  createCipheriv,
  createPrivateKey,
  generateKeyPairSync,
  pbkdf2Sync,
  randomBytes,
  type KeyObject,
} from 'node:crypto';
import { AditError } from '@adit/shared/errors';
import { encode, nothing, octetString, oid, pem, sequence, smallInteger, type Asn1 } from './asn1.ts';

const oids = {
  pbes2: '1.2.840.113549.1.5.13',
  pbkdf2: '1.2.840.113549.1.5.12',
  hmacSha256: '1.2.840.113549.2.9',
  aes256Cbc: '2.16.840.1.101.3.4.1.42',
} as const;
const rounds = 600_000;

/** A new P-256 key. */
export function newPrivateKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

/** PKCS#8 PEM: plain, or encrypted when a passphrase is given. */
export function privateKeyPem(key: KeyObject, passphrase?: string): string {
  const der = key.export({ type: 'pkcs8', format: 'der' });
  if (passphrase === undefined) return pem('PRIVATE KEY', der);
  const { algorithm, ciphertext } = encryptWithPassword(der, passphrase);
  return pem('ENCRYPTED PRIVATE KEY', encode(sequence(algorithm, octetString(ciphertext))));
}

/** Whether this is the PEM of an encrypted key, in PKCS#8 or in the old format of OpenSSL. */
export function isEncryptedKey(text: string): boolean {
  return text.includes('-----BEGIN ENCRYPTED PRIVATE KEY-----') || text.includes('Proc-Type: 4,ENCRYPTED');
}

/** Reads a key of `privateKeyPem`; `source` names it. Fails with CA_PASSPHRASE (missing or wrong) and CA_CORRUPT. */
export function readPrivateKey(text: string, source: string, passphrase?: string): KeyObject {
  const encrypted = isEncryptedKey(text);
  if (encrypted && passphrase === undefined)
    throw new AditError('CA_PASSPHRASE', `The key ${source} is encrypted, and no passphrase was given.`);
  try {
    return createPrivateKey(encrypted ? { key: text, passphrase: passphrase! } : text);
  } catch (error) {
    if (encrypted)
      throw new AditError('CA_PASSPHRASE', `The passphrase does not open the key ${source}.`, { cause: error });
    throw new AditError('CA_CORRUPT', `The key ${source} does not parse.`, { cause: error });
  }
}

/** PBES2 with AES-256-CBC: the AlgorithmIdentifier and the ciphertext. The password is encoded as UTF-8. */
export function encryptWithPassword(
  plain: Uint8Array,
  password: string,
): { readonly algorithm: Asn1; readonly ciphertext: Buffer } {
  const [salt, iv] = [randomBytes(16), randomBytes(16)];
  const cipher = createCipheriv('aes-256-cbc', pbkdf2Sync(password, salt, rounds, 32, 'sha256'), iv);
  return {
    algorithm: sequence(
      oid(oids.pbes2),
      sequence(
        sequence(
          oid(oids.pbkdf2),
          sequence(octetString(salt), smallInteger(rounds), sequence(oid(oids.hmacSha256), nothing())),
        ),
        sequence(oid(oids.aes256Cbc), octetString(iv)),
      ),
    ),
    ciphertext: Buffer.concat([cipher.update(plain), cipher.final()]),
  };
}
