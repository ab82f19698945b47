/**
 * Certificate requests (PKCS#10): made on the machine that keeps the key, read by the CA.
 * Rule: a request proves only that its sender has the key. Its names and extensions are ignored.
 * Spec: RFC 2986.
 */
import { createPublicKey, verify, type KeyObject } from 'node:crypto';
import { AditError, messageOf } from '@adit/shared/errors';
import {
  bitsOf,
  childrenOf,
  DerError,
  expectTag,
  oidOf,
  readDer,
  smallNumberOf,
  tags,
} from '@adit/shared/identity/der';
import { pemBlocks } from '@adit/shared/identity/pem';
import { encode, pem, sequence, smallInteger, tagged } from './asn1.ts';
import { checkName } from './names.ts';
import { commonName, publicKeyOf, signed } from './signed.ts';

const digests: Readonly<Record<string, string>> = {
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
};
const maxBytes = 64 * 1024;

/** Makes a request as PEM. NAME is only a hint for people. Fails with NAME_INVALID. */
export function createRequest(name: string, key: KeyObject): string {
  const content = sequence(smallInteger(0), commonName(checkName(name)), publicKeyOf(key), tagged(0));
  return pem('CERTIFICATE REQUEST', signed(content, key));
}

export interface CertificateRequest {
  readonly publicKey: KeyObject;
  /** DER of the name that it asks for. */
  readonly subject: Uint8Array;
}

/** Reads a request, PEM or DER, and checks its signature and key; `source` names it. Fails with REQUEST_INVALID. */
export function readRequest(bytes: Uint8Array, source: string): CertificateRequest {
  try {
    return parse(derOf(bytes));
  } catch (error) {
    throw new AditError(
      'REQUEST_INVALID',
      `The request ${source} cannot be signed: ${messageOf(error).replace(/\.$/, '')}.`,
      { cause: error },
    );
  }
}

/** Only P-256 keys get certificates. Fails with REQUEST_INVALID. */
export function checkKeyType(key: KeyObject): void {
  const objection = objectionTo(key);
  if (objection !== undefined) throw new AditError('REQUEST_INVALID', `The key is ${objection}.`);
}

/**
 * SubjectPublicKeyInfo of P-256 up to the coordinates: a named curve and an uncompressed point (RFC 5480 section 2).
 */
const p256 = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d03010703420004', 'hex');

/**
 * Decides by the bytes: Node also names the curve of a key with explicit parameters, and a certificate with such a key
 * does not verify.
 */
function objectionTo(key: KeyObject): string | undefined {
  if (key.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1')
    return `${keyTypeText(key)}, and only P-256 keys get certificates`;
  return encode(publicKeyOf(key)).subarray(0, p256.length).equals(p256)
    ? undefined
    : 'in a form that peers refuse: its curve is spelled out, or its point compressed';
}

/** "RSA of 2048 bits", "EC on secp384r1", "ED25519". */
export function keyTypeText({ asymmetricKeyType, asymmetricKeyDetails: details }: KeyObject): string {
  const type: string = asymmetricKeyType ?? 'of an unknown kind';
  if (type === 'ec')
    return details?.namedCurve === 'prime256v1' ? 'EC on P-256' : `EC on ${details?.namedCurve ?? 'an unknown curve'}`;
  return details?.modulusLength === undefined
    ? type.toUpperCase()
    : `${type.toUpperCase()} of ${details.modulusLength} bits`;
}

function derOf(bytes: Uint8Array): Uint8Array {
  if (bytes.length > maxBytes) throw new DerError(`it is larger than ${maxBytes} bytes`);
  if (bytes[0] === tags.sequence) return bytes;
  const blocks = pemBlocks(Buffer.from(bytes).toString('latin1'));
  if (blocks === undefined) throw new DerError('it is cut off or damaged');
  const found = blocks.filter(({ label }) => label === 'CERTIFICATE REQUEST' || label === 'NEW CERTIFICATE REQUEST');
  if (found.length === 1) return found[0]!.der;
  throw new DerError(
    found.length > 1
      ? 'it holds more than one request'
      : blocks[0] === undefined
        ? 'it is not in PEM or DER form'
        : `it holds a ${blocks[0].label.toLowerCase().slice(0, 40)} and no request`,
  );
}

/** `SEQUENCE { info { version 0, subject, publicKey, [0] attributes }, algorithm, signature }` */
function parse(der: Uint8Array): CertificateRequest {
  const [info, algorithm, signature, more] = childrenOf(
    expectTag(readDer(der, 'request'), tags.sequence, 'request'),
    'request',
  );
  if (more !== undefined) throw new DerError('request has more parts than it should');
  const [version, subject, spki] = childrenOf(expectTag(info, tags.sequence, 'request content'), 'request content');
  if (smallNumberOf(version, tags.integer, 'version') !== 0) throw new DerError('it is not a version 1 request');
  const publicKey = createPublicKey({
    key: Buffer.from(expectTag(spki, tags.sequence, 'public key').whole),
    format: 'der',
    type: 'spki',
  });
  const objection = objectionTo(publicKey);
  if (objection !== undefined) throw new DerError(`its key is ${objection}`);
  const digest =
    digests[
      oidOf(
        childrenOf(expectTag(algorithm, tags.sequence, 'signature algorithm'), 'signature algorithm')[0],
        'signature algorithm',
      )
    ];
  if (digest === undefined) throw new DerError('its signature algorithm is not supported');
  if (!verify(digest, info!.whole, { key: publicKey, dsaEncoding: 'der' }, bitsOf(signature, 'signature')))
    throw new DerError('its signature does not verify, so whoever made it may not have the key');
  return { publicKey, subject: expectTag(subject, tags.sequence, 'subject').whole };
}
