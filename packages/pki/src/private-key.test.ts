import { createPrivateKey, createPublicKey } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { openssl } from '../../../test/support/openssl.ts';
import { temporaryFolder } from '../../../test/support/scope.ts';
import { isEncryptedKey, newPrivateKey, privateKeyPem, readPrivateKey } from './private-key.ts';

const folder = temporaryFolder();
const path = join(folder, 'k.pem');
const key = newPrivateKey();
const publicPem = createPublicKey(key).export({ type: 'spki', format: 'pem' });
const passphrase = 'öpen, sesame';
beforeAll(() => {
  writeFileSync(path, privateKeyPem(key, passphrase));
  writeFileSync(join(folder, 'pass'), `${passphrase}\n`);
});

test('openssl reads a key without passphrase', async () => {
  writeFileSync(join(folder, 'plain.pem'), privateKeyPem(key));
  expect(await openssl(['pkey', '-in', join(folder, 'plain.pem'), '-pubout'])).toBe(publicPem);
});
test('openssl reads an encrypted key with its passphrase, and not with another', async () => {
  expect(await openssl(['pkey', '-in', path, '-passin', `file:${join(folder, 'pass')}`, '-pubout'])).toBe(publicPem);
  await openssl(['pkey', '-in', path, '-passin', 'pass:wrong', '-noout'], { code: 1 });
});
test('the passphrase is stretched by PBKDF2 with SHA-256 and 600,000 rounds', async () => {
  const text = await openssl(['asn1parse', '-in', path]);
  expect(text).toContain(':PBES2');
  expect(text).toContain(':hmacWithSHA256');
  expect(text).toContain(':aes-256-cbc');
  expect(Number.parseInt(/INTEGER\s+:(0927C0)/.exec(text)?.[1] ?? '', 16)).toBe(600_000);
});
test('what was written is read', () => {
  const text = readFileSync(path, 'utf8');
  expect(isEncryptedKey(text)).toBe(true);
  expect(readPrivateKey(text, 'k', passphrase).equals(key)).toBe(true);
  expect(readPrivateKey(privateKeyPem(key), 'k').equals(key)).toBe(true);
  expect(readPrivateKey(privateKeyPem(key), 'k', 'not needed').equals(key)).toBe(true);
});
test('a missing or wrong passphrase, and a damaged key, are told apart, and the passphrase is not shown', () => {
  const text = readFileSync(path, 'utf8');
  expect(() => readPrivateKey(text, 'k')).toThrow(
    expect.objectContaining({ code: 'CA_PASSPHRASE', message: 'The key k is encrypted, and no passphrase was given.' }),
  );
  expect(() => readPrivateKey(text, 'k', 'hunter2')).toThrow(
    expect.objectContaining({ code: 'CA_PASSPHRASE', message: 'The passphrase does not open the key k.' }),
  );
  expect(() => readPrivateKey('nonsense', 'k')).toThrow(expect.objectContaining({ code: 'CA_CORRUPT' }));
});
test('keys are P-256', () => {
  expect(createPrivateKey(privateKeyPem(newPrivateKey())).asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
});
