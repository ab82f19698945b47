import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ProtocolFault } from './refusal.ts';
import { decodeTlvs, encodeTlvs } from './tlv.ts';

test('TYPE(2) LENGTH(2) VALUE', () =>
  expect(Buffer.from(encodeTlvs([[0x8001, Uint8Array.of(1, 2)]])).toString('hex')).toBe('800100020102'));

test('what is encoded is decoded', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(fc.nat(0xffff), fc.uint8Array()), { selector: ([type]) => type }),
      (entries) => {
        expect([...decodeTlvs(encodeTlvs(entries))].map(([type, value]) => [type, [...value]])).toEqual(
          entries.map(([type, value]) => [type, [...value]]),
        );
      },
    ),
  );
});

test.each([
  ['a length beyond the end', '00010002ff'],
  ['a head cut short', '000100'],
  ['a type that comes twice', '0001000000010000'],
])('%s is a fault', (_what, hex) => {
  expect(() => decodeTlvs(Buffer.from(hex, 'hex'))).toThrow(ProtocolFault);
});
