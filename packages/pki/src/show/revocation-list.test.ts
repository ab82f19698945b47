import { expect, test } from '@jest/globals';
import { DerError } from '@adit/shared/identity/der';
import { pemBlocks } from '@adit/shared/identity/pem';
import fc from 'fast-check';
import { createAuthority } from '../authority.ts';
import { createRevocationList, type RevokedEntry } from '../revocation-list.ts';
import { explainRevocationList } from './revocation-list.ts';

const authority = createAuthority({ trustDomain: 'example.org' });
const now = new Date('2030-01-01T00:00:00Z');
const make = (revoked: readonly RevokedEntry[], days = 30, number = 300): Buffer =>
  pemBlocks(createRevocationList(authority, { revoked, number, days, now }))![0]!.der;
const entry: RevokedEntry = { serial: '80AB', at: new Date('2029-12-31T00:00:00Z'), reason: 'keyCompromise' };

test('a list says whose it is, how fresh, and what it revokes', () => {
  const { title, facts, problems } = explainRevocationList(
    make([entry, { ...entry, serial: '05', reason: 'unspecified' }]),
    now,
  );
  expect(title).toMatch(/^revocation list of CN=Adit CA example\.org /);
  expect(facts).toEqual([
    ['number', '300'],
    ['made', '2029-12-31T23:55:00.000Z (less than a day ago)'],
    ['next due', '2030-01-31T00:00:00.000Z (in 30 days)'],
    ['revoked', '2 certificates'],
    ['', '80AB since 2029-12-31T00:00:00.000Z (1 day ago), keyCompromise'],
    ['', '05 since 2029-12-31T00:00:00.000Z (1 day ago), unspecified'],
    ['signature', expect.any(String)],
  ]);
  expect(problems).toEqual([]);
  expect(explainRevocationList(make([]), now).facts).toContainEqual(['revoked', 'no certificate']);
});
test('a long list is cut', () => {
  const { facts } = explainRevocationList(
    make(Array.from({ length: 60 }, (_, index) => ({ ...entry, serial: (0x10 + index).toString(16).toUpperCase() }))),
    now,
  );
  expect(facts).toContainEqual(['', 'and 10 more']);
});
test('one that is out of date, or of the future, is named', () => {
  expect(explainRevocationList(make([], 1), new Date('2030-01-03')).problems).toEqual([
    expect.stringContaining('out of date'),
  ]);
  expect(explainRevocationList(make([]), new Date('2029-12-01')).problems).toEqual([expect.stringContaining('future')]);
});
test('with any byte changed or cut off it is explained or gives DerError', () => {
  const der = make([entry]);
  fc.assert(
    fc.property(fc.nat(der.length - 1), fc.nat(255), fc.boolean(), (at, value, cut) => {
      const changed = Buffer.from(cut ? der.subarray(0, at) : der);
      if (!cut) changed[at] = value;
      try {
        explainRevocationList(changed, now);
      } catch (error) {
        expect(error).toBeInstanceOf(DerError);
      }
    }),
    { numRuns: 500 },
  );
});
