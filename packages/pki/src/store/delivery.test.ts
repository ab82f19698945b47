import { mkdirSync, readFileSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from '@jest/globals';
import { temporaryFolder } from '../../../../test/support/scope.ts';
import { createAuthority } from '../authority.ts';
import { createBundle } from '../bundle.ts';
import { newPrivateKey } from '../private-key.ts';
import { prepareDelivery, type DeliveryOptions } from './delivery.ts';

const ca = createAuthority().certificatePem;
const otherCa = createAuthority().certificatePem;
let out: string;
beforeEach(() => {
  out = temporaryFolder();
});
const prepare = (over: Partial<DeliveryOptions> = {}) =>
  prepareDelivery({ out, name: 'a', renew: false, key: 'KEY', caPem: ca, ...over });
const content = (name: string): string => readFileSync(join(out, name), 'utf8');
const exists = expect.objectContaining({ code: 'FILE_EXISTS' });

test('key, certificate, CA and PKCS#12 are written, secrets for their owner alone', () => {
  expect(prepare({ p12: join(out, 'a.p12') }).finish({ certificatePem: 'CERT', p12: Buffer.from('P12') })).toEqual(
    ['a.key', 'a.crt', 'ca.crt', 'a.p12'].map((name) => join(out, name)),
  );
  expect(readdirSync(out).sort()).toEqual(['a.crt', 'a.key', 'a.p12', 'ca.crt']);
  expect(['a.crt', 'a.key', 'a.p12', 'ca.crt'].map((name) => statSync(join(out, name)).mode & 0o777)).toEqual([
    0o644, 0o600, 0o600, 0o644,
  ]);
  expect([content('a.key'), content('a.crt'), content('ca.crt')]).toEqual(['KEY', 'CERT', ca]);
});
test('before it is finished no certificate is there, and discarded it leaves nothing', () => {
  const delivery = prepare();
  expect(readdirSync(out).filter((name) => !name.startsWith('a.key.'))).toEqual([]);
  delivery.discard();
  expect(readdirSync(out)).toEqual([]);
});
test.each(['a.key', 'a.crt', 'a.p12'])('an existing %s is refused, and nothing is touched', (name) => {
  writeFileSync(join(out, name), 'old');
  expect(() => prepare({ p12: join(out, 'a.p12') })).toThrow(exists);
  expect(readdirSync(out)).toEqual([name]);
  expect(content(name)).toBe('old');
});
test('a file that appears in between is not overwritten either', () => {
  const delivery = prepare();
  writeFileSync(join(out, 'a.key'), 'old');
  expect(() => delivery.finish({ certificatePem: 'CERT' })).toThrow(exists);
  delivery.discard();
  expect([readdirSync(out), content('a.key')]).toEqual([['a.key'], 'old']);
});
test('a renewal replaces', () => {
  for (const name of ['a.key', 'a.crt']) writeFileSync(join(out, name), 'old', { mode: 0o666 });
  prepare({ renew: true }).finish({ certificatePem: 'CERT' });
  expect([content('a.key'), content('a.crt'), statSync(join(out, 'a.key')).mode & 0o777]).toEqual([
    'KEY',
    'CERT',
    0o600,
  ]);
});
test('without a key, an existing key is none of its business', () => {
  writeFileSync(join(out, 'a.key'), 'theirs');
  expect(prepare({ key: undefined }).finish({ certificatePem: 'CERT' })).toEqual([
    join(out, 'a.crt'),
    join(out, 'ca.crt'),
  ]);
  expect(content('a.key')).toBe('theirs');
});
test('the same CA may be there, alone or beside another; a different one is refused', () => {
  writeFileSync(join(out, 'ca.crt'), otherCa + ca.replaceAll('\n', '\r\n'));
  prepare().finish({ certificatePem: 'CERT' });
  expect(content('ca.crt')).toContain(otherCa);
  for (const wrong of [otherCa, 'nonsense', '']) {
    writeFileSync(join(out, 'ca.crt'), wrong);
    expect(() => prepare({ name: 'b' })).toThrow(exists);
  }
});
test('what cannot be written is found out before anything is issued', () => {
  expect(() => prepare({ p12: join(out, 'no', 'a.p12') })).toThrow(
    expect.objectContaining({ code: 'FILE_UNREADABLE' }),
  );
  writeFileSync(join(out, 'file'), '');
  expect(() => prepare({ out: join(out, 'file') })).toThrow(expect.objectContaining({ code: 'FILE_UNREADABLE' }));
  mkdirSync(join(out, 'ca.crt'));
  expect(() => prepare()).toThrow(expect.objectContaining({ code: 'FILE_UNREADABLE' }));
});
test('a renewal replaces an older PKCS#12 file, and nothing else that has its name', () => {
  const p12 = join(out, 'a.p12');
  for (const taken of ['-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n', '', 'notes']) {
    writeFileSync(p12, taken);
    expect(() => prepare({ renew: true, p12 })).toThrow(exists);
    expect([readdirSync(out), content('a.p12')]).toEqual([['a.p12'], taken]);
  }
  writeFileSync(p12, createBundle({ key: newPrivateKey(), certificatePem: ca, caPem: ca, name: 'a', password: 'x' }));
  prepare({ renew: true, p12 }).finish({ certificatePem: 'CERT', p12: Buffer.from('P12') });
  expect(content('a.p12')).toBe('P12');
});
test.each(['a.key', 'a.crt', 'ca.crt'])('a PKCS#12 file cannot have the name of %s', (name) => {
  expect(() => prepare({ p12: `${out}/./${name}` })).toThrow(expect.objectContaining({ code: 'USAGE' }));
  expect(readdirSync(out)).toEqual([]);
});
test('keys that a killed process left are removed; those of one that may live, and files of others, stay', () => {
  const [old, young, other] = ['a.key.0123456789ab.tmp', 'a.key.ba9876543210.tmp', 'b.a.key.0123456789ab.tmp'].map(
    (name) => join(out, name),
  ) as [string, string, string];
  for (const path of [old, young, other]) writeFileSync(path, 'SECRET');
  for (const path of [old, other]) utimesSync(path, 0, 0);
  prepare().finish({ certificatePem: 'CERT' });
  expect(readdirSync(out).sort()).toEqual([
    'a.crt',
    'a.key',
    'a.key.ba9876543210.tmp',
    'b.a.key.0123456789ab.tmp',
    'ca.crt',
  ]);
});
(process.platform === 'linux' ? test : test.skip)(
  'a folder that takes no files is found out also when there is no key to write',
  () => {
    expect(() => prepare({ out: '/proc', key: undefined })).toThrow(
      expect.objectContaining({ code: 'FILE_UNREADABLE' }),
    );
  },
);
