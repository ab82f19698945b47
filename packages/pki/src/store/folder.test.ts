import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from '@jest/globals';
import { parseRevocationList } from '@adit/shared/identity/revocation';
import { parseTrustAnchors } from '@adit/shared/identity/trust';
import { openssl } from '../../../../test/support/openssl.ts';
import { temporaryFolder } from '../../../../test/support/scope.ts';
import { filesOf, initAuthority, requireAuthority } from './folder.ts';

let folder: string;
beforeEach(() => {
  folder = join(temporaryFolder(), 'new', 'ca');
});
const mode = (name: string): string => (statSync(join(folder, name)).mode & 0o777).toString(8);

test('it makes key, certificate, register and an empty list, the key for its owner alone', async () => {
  const authority = await initAuthority(folder, { trustDomain: 'example.org' });
  expect(readdirSync(folder).sort()).toEqual(['ca.crt', 'ca.key', 'crl.pem', 'index.json']);
  expect(['ca.crt', 'ca.key', 'crl.pem', 'index.json'].map(mode)).toEqual(['644', '600', '644', '600']);
  expect(
    parseRevocationList(
      readFileSync(filesOf(folder).revocationList),
      parseTrustAnchors(authority.certificatePem, 'ca.crt'),
    ).size,
  ).toBe(0);
  expect(await openssl(['pkey', '-in', filesOf(folder).key, '-pubout'])).toBe(
    await openssl(['x509', '-in', filesOf(folder).certificate, '-noout', '-pubkey']),
  );
  requireAuthority(folder);
});
test('a passphrase encrypts the key', async () => {
  await initAuthority(folder, { passphrase: 'secret' });
  await openssl(['pkey', '-in', filesOf(folder).key, '-passin', 'pass:secret', '-noout']);
  expect(readFileSync(filesOf(folder).key, 'utf8')).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----/);
});
test.each([0o777, 0o1777, 0o775, 0o702])('a folder of mode %o, which others can write, is refused', async (open) => {
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, open);
  await expect(initAuthority(folder)).rejects.toMatchObject({
    code: 'FILE_UNREADABLE',
    message: expect.stringMatching(/has mode \d{4}, so others could replace the key of the CA: run "chmod go-w /),
  });
  expect(readdirSync(folder)).toEqual([]);

  chmodSync(folder, 0o755);
  await initAuthority(folder);
  requireAuthority(folder);
});
(process.getuid?.() === 0 ? test : test.skip)('a folder of another user is refused', async () => {
  mkdirSync(folder, { recursive: true });
  chownSync(folder, 65534, 65534);
  await expect(initAuthority(folder)).rejects.toThrow('belongs to another user');
});
test.each(['ca.crt', 'ca.key', 'index.json'])('a folder with a %s is left as it is', async (name) => {
  await initAuthority(folder);
  for (const other of ['ca.crt', 'ca.key', 'index.json', 'crl.pem']) if (other !== name) rmSync(join(folder, other));
  const before = readFileSync(join(folder, name));
  await expect(initAuthority(folder)).rejects.toMatchObject({ code: 'CA_EXISTS' });
  expect(readFileSync(join(folder, name)).equals(before)).toBe(true);
  expect(readdirSync(folder)).toEqual([name]);
});
test('an init that was interrupted at any point is begun again', async () => {
  await initAuthority(folder);
  for (const lost of [
    [],
    ['ca.crt'],
    ['ca.crt', 'crl.pem'],
    ['ca.crt', 'crl.pem', 'index.json'],
    ['ca.crt', 'crl.pem', 'index.json', 'ca.key'],
  ]) {
    writeFileSync(filesOf(folder).pending, '');
    for (const name of lost) rmSync(join(folder, name));
    expect(() => {
      requireAuthority(folder);
    }).toThrow(expect.objectContaining({ code: 'CA_MISSING', message: expect.stringContaining('interrupted') }));
    await initAuthority(folder);
    requireAuthority(folder);
  }
});
test('of two at once one makes it and the other is refused', async () => {
  const results = await Promise.allSettled([initAuthority(folder), initAuthority(folder)]);
  expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  expect(results.find((result) => result.status === 'rejected')!.reason).toMatchObject({ code: 'CA_EXISTS' });
});
test('an unusable trust domain or time leaves no trace', async () => {
  await expect(initAuthority(folder, { trustDomain: 'X' })).rejects.toMatchObject({ code: 'NAME_INVALID' });
  await expect(initAuthority(folder, { days: 0 })).rejects.toMatchObject({ code: 'USAGE' });
  expect(existsSync(folder)).toBe(false);
});
test('without a CA there is none', () => {
  expect(() => {
    requireAuthority(folder);
  }).toThrow(expect.objectContaining({ code: 'CA_MISSING', message: `There is no CA in ${folder}.` }));
});
