import { createPublicKey, verify, X509Certificate } from 'node:crypto';
import { bitsOf, childrenOf, readDer } from '@adit/shared/identity/der';
import { expect, test } from '@jest/globals';
import { encode } from './asn1.ts';
import { newPrivateKey } from './private-key.ts';
import { certificateContent, commonName, publicKeyOf, signed } from './signed.ts';

const key = newPrivateKey();
const content = certificateContent({
  serial: '80',
  issuer: commonName('i'),
  subject: commonName('s_ü'),
  notBefore: new Date('2030-01-01'),
  notAfter: new Date('2060-01-01'),
  publicKey: key,
  extensions: [],
});

test('the signature is over exactly the content, and verifies', () => {
  const [tbs, , signature] = childrenOf(readDer(signed(content, key), 'x'), 'x');
  expect(Buffer.from(tbs!.whole).equals(encode(content))).toBe(true);
  expect(verify('sha256', tbs!.whole, { key: createPublicKey(key), dsaEncoding: 'der' }, bitsOf(signature, 'x'))).toBe(
    true,
  );
});
test('node reads what was put in', () => {
  const certificate = new X509Certificate(signed(content, key));
  expect(certificate).toMatchObject({
    subject: 'CN=s_ü',
    issuer: 'CN=i',
    serialNumber: '80',
    validFromDate: new Date('2030-01-01'),
    validToDate: new Date('2060-01-01'),
  });
  expect(certificate.checkPrivateKey(key)).toBe(true);
  expect(certificate.verify(createPublicKey(key))).toBe(true);
});
test('the public key of a private and of a public key is the same', () => {
  expect(encode(publicKeyOf(key))).toEqual(encode(publicKeyOf(createPublicKey(key))));
});
