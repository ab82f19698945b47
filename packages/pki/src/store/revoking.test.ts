import { expect, test } from '@jest/globals';
import { emptyRegister, type Entry } from './register.ts';
import { revokeIn } from './revoking.ts';

const now = new Date('2030-02-01');
const entry = (serial: string, over: Partial<Entry> = {}): Entry => ({
  name: 'alice',
  kind: 'client',
  serial,
  notBefore: new Date('2030-01-01'),
  notAfter: new Date('2030-04-01'),
  ...over,
});
const before = { at: new Date('2030-01-15'), reason: 'superseded' as const };
const register = {
  ...emptyRegister,
  entries: [
    entry('0A'),
    entry('0B', { notAfter: new Date('2030-01-02') }),
    entry('0C', { revoked: before }),
    entry('0D', { name: 'bob' }),
    entry('0E'),
  ],
};
const revoke = (which: string) => revokeIn(register, which, { reason: 'keyCompromise', now });
const serials = (entries: readonly Entry[]): string[] => entries.map(({ serial }) => serial);

test('a name means all of its certificates that have not expired', () => {
  const { register: after, newly, already } = revoke('alice');
  expect([serials(newly), serials(already)]).toEqual([['0A', '0E'], ['0C']]);
  expect(
    after.entries.filter(({ revoked }) => revoked !== undefined).map(({ serial, revoked }) => [serial, revoked]),
  ).toEqual([
    ['0A', { at: now, reason: 'keyCompromise' }],
    ['0C', before],
    ['0E', { at: now, reason: 'keyCompromise' }],
  ]);
  expect(serials(after.entries)).toEqual(serials(register.entries));
});
test('a serial means one, however it is typed, also an expired one', () => {
  expect(serials(revoke('0x0b').newly)).toEqual(['0B']);
  expect(serials(revoke('00:0a').newly)).toEqual(['0A']);
  expect(serials(revoke('C').already)).toEqual(['0C']);
});
test('what is not there is said', () => {
  expect(() => revoke('carol')).toThrow(
    expect.objectContaining({ code: 'NOT_FOUND', message: 'No certificate has the name or serial "carol".' }),
  );
  expect(() => revoke('FF')).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
  expect(() =>
    revokeIn({ ...register, entries: [register.entries[1]!] }, 'alice', { reason: 'unspecified', now }),
  ).toThrow('Every certificate of alice has expired');
});
