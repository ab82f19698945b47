import { X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { expect, test } from '@jest/globals';
import { pemBlocks } from '@adit/shared/identity/pem';
import { openssl } from '../../../test/support/openssl.ts';
import { temporaryFolder } from '../../../test/support/scope.ts';
import { createAuthority } from './authority.ts';
import { createBundle, isBundle } from './bundle.ts';
import { issueLeaf } from './leaf.ts';
import { clientSubject } from './names.ts';
import { newPrivateKey, readPrivateKey } from './private-key.ts';

const folder = temporaryFolder();
const authority = createAuthority();
const key = newPrivateKey();
const { certificatePem, certificate } = issueLeaf(authority, clientSubject('alice'), { publicKey: key });
const make = (password: string): Buffer =>
  createBundle({ key, certificatePem, caPem: authority.certificatePem, name: 'alice', password });

// Each takes half a second to make, and these tests only read it.
const secret = make('secret');

test.each(['secret', 'pässwörd', 'x'.repeat(200)])('openssl opens it with the password %s', async (password) => {
  writeFileSync(join(folder, 'a.p12'), make(password));
  writeFileSync(join(folder, 'pass'), password);
  const text = await openssl([
    'pkcs12',
    '-in',
    join(folder, 'a.p12'),
    '-passin',
    `file:${join(folder, 'pass')}`,
    '-nodes',
    '-info',
  ]);
  expect(text).toContain('friendlyName: alice');
  expect(text).toContain('MAC: sha256, Iteration 100000');
  expect(text).toContain('PBES2, PBKDF2, AES-256-CBC, Iteration 600000, PRF hmacWithSHA256');
  const blocks = pemBlocks(text)!;
  expect(
    blocks.filter(({ label }) => label === 'CERTIFICATE').map(({ der }) => new X509Certificate(der).fingerprint256),
  ).toEqual([certificate.fingerprint256, authority.certificate.fingerprint256]);
  expect(readPrivateKey(blocks.find(({ label }) => label === 'PRIVATE KEY')!.pem, 'it').equals(key)).toBe(true);
});
test('node opens it, and nobody with another password', async () => {
  createSecureContext({ pfx: secret, passphrase: 'secret' });
  writeFileSync(join(folder, 'b.p12'), secret);
  expect(
    await openssl(['pkcs12', '-in', join(folder, 'b.p12'), '-passin', 'pass:other', '-noout'], { code: 1 }),
  ).toContain('Mac verify error');
});
test('a PKCS#12 file is told from others', () => {
  expect(
    [
      secret,
      certificate.raw,
      key.export({ type: 'pkcs8', format: 'der' }),
      Buffer.from('notes'),
      Buffer.alloc(0),
      secret.subarray(0, 100),
    ].map(isBundle),
  ).toEqual([true, false, false, false, false, false]);
});
test('an empty password is refused', () => {
  expect(() => make('')).toThrow(expect.objectContaining({ code: 'USAGE' }));
});
