import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { concat, copyOf, putU16, putU24, putU32, putU64, text, u16, u24, u32, u64, utf8, utf8AtMost } from './bytes.ts';

test('integers come back as they were put, big endian, up to 2^53 - 1', () => {
  fc.assert(
    fc.property(fc.nat(0xffff), fc.nat(0xffffff), fc.nat(0xffffffff), fc.maxSafeNat(), (a, b, c, d) => {
      const bytes = new Uint8Array(17);
      putU16(bytes, 0, a);
      putU24(bytes, 2, b);
      putU32(bytes, 5, c);
      putU64(bytes, 9, d);
      expect([u16(bytes, 0), u24(bytes, 2), u32(bytes, 5), u64(bytes, 9)]).toEqual([a, b, c, d]);
      expect(Buffer.from(bytes).readBigUInt64BE(9)).toBe(BigInt(d));
    }),
  );
});

test('a u64 that no Number holds is not a number', () => {
  expect(u64(Uint8Array.of(0, 0x20, 0, 0, 0, 0, 0, 0), 0)).toBeNaN();
  expect(u64(new Uint8Array(8).fill(0xff), 0)).toBeNaN();
});

test('text is cut at a character boundary, within its bytes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.nat(40), (value, most) => {
      const bytes = utf8AtMost(value, most);
      expect(bytes.length).toBeLessThanOrEqual(most);
      expect(value.startsWith(text(bytes))).toBe(true);
    }),
  );
});

test('what is not UTF-8 reads as U+FFFD and never throws', () =>
  expect(text(Uint8Array.of(0x61, 0xff))).toBe('a\uFFFD'));

test('concat joins', () => expect(text(concat([utf8('a'), utf8(''), utf8('bc')]))).toBe('abc'));

test('a copy of a view of a Buffer is a copy', () => {
  const chunk = Buffer.from('a chunk');

  const copy = copyOf(chunk.subarray(2));
  chunk.fill(0);

  expect(text(copy)).toBe('chunk');
  expect(copy.buffer.byteLength).toBe(5);
});
