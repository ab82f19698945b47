import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { newCa } from '../../../../test/support/issuer.ts';
import { newPrivateKey, privateKeyPem } from '../private-key.ts';
import { explainKey, explainPublicKey, keyFingerprint } from './key.ts';

const key = newPrivateKey();

test('a key has a type and the fingerprint of its public half, and nothing of the private one', () => {
  const explained = explainKey(privateKeyPem(key), 0o600);
  expect(explained).toEqual({
    title: 'private key',
    facts: [
      ['type', 'EC on P-256'],
      ['key SHA-256', expect.stringMatching(/^[0-9a-f]{64}$/)],
    ],
    problems: [],
  });
  expect(JSON.stringify(explained)).not.toContain(key.export({ format: 'jwk' }).d);
});
test('a certificate and its key have the same fingerprint', () => {
  const ca = newCa();
  expect(explainKey(ca.keyPem, undefined).facts.at(-1)?.[1]).toBe(
    keyFingerprint(new X509Certificate(ca.certPem).publicKey),
  );
  expect(
    explainPublicKey(new X509Certificate(ca.certPem).publicKey.export({ type: 'spki', format: 'pem' }) as string).facts,
  ).toEqual(explainKey(ca.keyPem, undefined).facts);
});
test('a key that others may read is named', () => {
  expect(explainKey(privateKeyPem(key), 0o100644).problems).toEqual([
    'Its file has mode 0644, so others may use it: run "chmod 600" on it.',
  ]);
});
test('an encrypted key is said to be', () => {
  expect(explainKey(privateKeyPem(key, 'x'), 0o644)).toMatchObject({ title: 'private key, encrypted', problems: [] });
});
test.each([
  ['short RSA', generateKeyPairSync('rsa', { modulusLength: 1024 }), '1024 bits'],
  ['secp256k1', generateKeyPairSync('ec', { namedCurve: 'secp256k1' }), 'secp256k1'],
])('a %s key is named', (_, { privateKey }, why) => {
  expect(explainKey(privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, 0o600).problems).toEqual([
    expect.stringContaining(why),
  ]);
});
test('nonsense does not parse', () => {
  expect(() => explainKey('-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n', 0o600)).toThrow();
});
