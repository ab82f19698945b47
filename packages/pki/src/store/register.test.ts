import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { revocationReasons, type RevocationReason } from '../revocation-list.ts';
import { emptyRegister, formatRegister, parseRegister, stateOf, type Entry } from './register.ts';

const date = fc.date({ min: new Date('2000-01-01'), max: new Date('2100-01-01'), noInvalidDate: true });
const word = fc.stringMatching(/^[a-z0-9]{1,10}$/);
const entry: fc.Arbitrary<Entry> = fc.record(
  {
    name: word,
    kind: fc.constantFrom('client' as const, 'egress' as const),
    serial: fc.bigInt(1n, 2n ** 127n).map((number) => {
      const hex = number.toString(16).toUpperCase();
      return hex.length % 2 === 0 ? hex : `0${hex}`;
    }),
    groups: fc.array(word),
    hosts: fc.array(word),
    notBefore: date,
    notAfter: date,
    revoked: fc.record({
      at: date,
      reason: fc.constantFrom(...(Object.keys(revocationReasons) as RevocationReason[])),
    }),
  },
  { requiredKeys: ['name', 'kind', 'serial', 'notBefore', 'notAfter'] },
);
const good: Entry = {
  name: 'a',
  kind: 'client',
  serial: '0A',
  groups: ['g'],
  notBefore: new Date('2030-01-01'),
  notAfter: new Date('2030-04-01'),
};

test('it reads back what it wrote', () => {
  fc.assert(
    fc.property(
      fc.nat(),
      fc.option(fc.integer({ min: 1, max: 36_500 })),
      fc.uniqueArray(entry, { selector: ({ serial }) => serial }),
      (crlNumber, crlDays, entries) => {
        const register = { crlNumber, ...(crlDays !== null && { crlDays }), entries };
        expect(parseRegister(formatRegister(register), 'index.json')).toEqual(register);
      },
    ),
  );
  expect(parseRegister(formatRegister(emptyRegister), 'index.json')).toEqual(emptyRegister);
});
test('it has one line for each certificate', () => {
  expect(formatRegister({ crlNumber: 1, entries: [good, { ...good, serial: '0B' }] }).split('\n')).toHaveLength(5);
});
test('cut off at any place it is refused', () => {
  const text = formatRegister({ crlNumber: 1, entries: [good] });
  fc.assert(
    fc.property(fc.nat(text.length - 2), (length) => {
      expect(() => parseRegister(text.slice(0, length), 'index.json')).toThrow(
        expect.objectContaining({ code: 'CA_CORRUPT' }),
      );
    }),
  );
});
test.each<[string, (text: string) => string]>([
  ['its version is 2, and this program knows version 1', (text) => text.replace('"version":1', '"version":2')],
  ['crlNumber is not a number of 0 or more', (text) => text.replace('"crlNumber":1', '"crlNumber":-1')],
  ['crlDays is not a number of 1 or more', (text) => text.replace('"certificates"', '"crlDays":0,"certificates"')],
  ['certificates is not a list', (text) => text.replace(/\[[^]*\]/, '{}')],
  ['certificate 1 is neither a client nor an egress', (text) => text.replace('client', 'server')],
  ['certificate 1 has no serial', (text) => text.replace('"0A"', '"xyz"')],
  ['certificate 1: notAfter is not a date', (text) => text.replace('2030-04', '2030-99')],
  ['certificate 1: groups is not a list', (text) => text.replace('["g"]', '"g"')],
  ['certificate 1: name is not a text', (text) => text.replace('"a"', '1')],
  ['certificate 1 has the unknown field "revokd"', (text) => text.replace('"name"', '"revokd":{},"name"')],
  [
    'certificate 1: revoked has no known reason',
    (text) => text.replace('"name"', '"revoked":{"at":"2030-01-01","reason":"toString"},"name"'),
  ],
  ['a serial is in it twice', (text) => text.replace(/\n(\{.*\})\n/, '\n$1,$1\n')],
])('damage is named: %s', (why, damage) => {
  const text = damage(formatRegister({ crlNumber: 1, entries: [good] }));
  expect(() => parseRegister(text, 'index.json')).toThrow(
    expect.objectContaining({ code: 'CA_CORRUPT', message: `The register index.json is damaged: ${why}.` }),
  );
});
test('a certificate is valid, expired or revoked', () => {
  expect(stateOf(good, new Date('2030-02-01'))).toBe('valid');
  expect(stateOf(good, new Date('2030-04-01'))).toBe('expired');
  expect(stateOf({ ...good, revoked: { at: new Date(), reason: 'superseded' } }, new Date('2030-04-01'))).toBe(
    'revoked',
  );
});
