import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from '@jest/globals';
import { temporaryFolder } from '../../../../test/support/scope.ts';
import { createAuthority } from '../authority.ts';
import { prepareDelivery, type DeliveryOptions } from './delivery.ts';

const ca = createAuthority().certificatePem;
const otherCa = createAuthority().certificatePem;
let out: string;
beforeEach(() => { out = temporaryFolder(); });
const prepare = (over: Partial<DeliveryOptions> = {}) => prepareDelivery({ out, name: 'a', renew: false, key: 'KEY', caPem: ca, ...over });
const content = (name: string): string => readFileSync(join(out, name), 'utf8');
const exists = expect.objectContaining({ code: 'FILE_EXISTS' });

test('key, certificate, CA and PKCS#12 are written, secrets for their owner alone', () => {
  expect(prepare({ p12: join(out, 'a.p12') }).finish({ certificatePem: 'CERT', p12: Buffer.from('P12') })).toEqual(['a.key', 'a.crt', 'ca.crt', 'a.p12'].map((name) => join(out, name)));
  expect(readdirSync(out).sort()).toEqual(['a.crt', 'a.key', 'a.p12', 'ca.crt']);
  expect(['a.crt', 'a.key', 'a.p12', 'ca.crt'].map((name) => statSync(join(out, name)).mode & 0o777)).toEqual([0o644, 0o600, 0o600, 0o644]);
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
  expect([content('a.key'), content('a.crt'), statSync(join(out, 'a.key')).mode & 0o777]).toEqual(['KEY', 'CERT', 0o600]);
});
test('without a key, an existing key is none of its business', () => {
  writeFileSync(join(out, 'a.key'), 'theirs');
  expect(prepare({ key: undefined }).finish({ certificatePem: 'CERT' })).toEqual([join(out, 'a.crt'), join(out, 'ca.crt')]);
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
  expect(() => prepare({ p12: join(out, 'no', 'a.p12') })).toThrow(expect.objectContaining({ code: 'FILE_UNREADABLE' }));
  writeFileSync(join(out, 'file'), '');
  expect(() => prepare({ out: join(out, 'file') })).toThrow(expect.objectContaining({ code: 'FILE_UNREADABLE' }));
  mkdirSync(join(out, 'ca.crt'));
  expect(() => prepare()).toThrow(expect.objectContaining({ code: 'FILE_UNREADABLE' }));
});
