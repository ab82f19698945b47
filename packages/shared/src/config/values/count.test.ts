import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { maxCount, parseCount } from './count.ts';

describe('a count', () => {
  test('reads back every whole number from 1 to its maximum', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: maxCount }), (n) => {
        expect(parseCount(String(n))).toEqual({ ok: true, value: n });
      }),
    );
  });
  test.each(['', '0', '-1', '+1', '01', '1.0', '1e3', '0x10', ' 1', '2147483648', '9'.repeat(100), 'many'])(
    '"%s" is refused',
    (text) => {
      expect(parseCount(text)).toEqual({ ok: false, reason: expect.stringContaining('not a count') });
    },
  );
  test('never throws, and never reads what a person would not', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const result = parseCount(text);
        if (result.ok) expect(String(result.value)).toBe(text);
      }),
    );
  });
});
