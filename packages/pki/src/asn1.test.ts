import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { readDer, serialOf, smallNumberOf, tags, timeOf } from '@adit/shared/identity/der';
import fc from 'fast-check';
import {
  bitString,
  bmpString,
  encode,
  existing,
  integer,
  oid,
  pem,
  sequence,
  smallInteger,
  time,
  yes,
} from './asn1.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

test('every magnitude becomes a positive integer of least length, also one whose first byte is 0x80 or more', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 20 }), (magnitude) => {
      const text = serialOf(readDer(encode(integer(magnitude)), 'x'));
      expect(BigInt(`0x${text}`)).toBe(BigInt(`0x${hex(magnitude)}`));
    }),
  );
  expect(hex(encode(integer(Uint8Array.of(0x80))))).toBe('02020080');
  expect(hex(encode(integer(Uint8Array.of(0, 0, 0x7f))))).toBe('02017f');
  expect(hex(encode(integer(Uint8Array.of(0))))).toBe('020100');
});
test('numbers read back', () => {
  fc.assert(
    fc.property(fc.nat(), (value) => {
      expect(smallNumberOf(readDer(encode(smallInteger(value)), 'x'), tags.integer, 'x')).toBe(value % 2 ** 31);
    }),
  );
});
test('times are UTCTime up to 2049 and GeneralizedTime after, in whole seconds', () => {
  fc.assert(
    fc.property(fc.date({ min: new Date('1951-01-01'), max: new Date('2150-01-01'), noInvalidDate: true }), (date) => {
      const der = encode(time(date));
      expect(timeOf(readDer(der, 'x'), 'x').getTime()).toBe(Math.floor(date.getTime() / 1000) * 1000);
      expect(der[0]).toBe(date.getUTCFullYear() < 2050 ? tags.utcTime : tags.generalizedTime);
    }),
  );
});
test('values have the octets of the specification', () => {
  expect(hex(encode(oid('1.2.840.10045.4.3.2')))).toBe('06082a8648ce3d040302');
  expect(hex(encode(yes()))).toBe('0101ff');
  expect(hex(encode(bitString(Uint8Array.of(0x06), 1)))).toBe('03020106');
  expect(hex(encode(bmpString('aé')))).toBe('1e04006100e9');
  expect(hex(encode(sequence()))).toBe('3000');
});
test('what exists as DER stays as it is, byte for byte', () => {
  for (let i = 0; i < 20; i++) {
    const der = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'der' });
    expect(encode(existing(der)).equals(der)).toBe(true);
  }
});
test('PEM has lines of 64 characters', () => {
  expect(pem('X', Buffer.alloc(49))).toBe(`-----BEGIN X-----\n${'A'.repeat(64)}\nAA==\n-----END X-----\n`);
  expect(pem('X', Buffer.alloc(48))).toBe(`-----BEGIN X-----\n${'A'.repeat(64)}\n-----END X-----\n`);
});
