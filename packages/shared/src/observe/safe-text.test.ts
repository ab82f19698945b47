import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { anyCharacter } from '../../../../test/support/characters.ts';
import { safeText } from './safe-text.ts';

describe('text of a peer', () => {
  test.each([
    ['plain text, "quoted" and \\', 'plain text, "quoted" and \\'],
    ['grün 日本 🙂', 'grün 日本 🙂'],
    ['a\nb\r\tc', 'a\\nb\\r\\tc'],
    ['\x1b[2J\0\x7f\x9b', '\\x1b[2J\\x00\\x7f\\x9b'],
    ['abc\u202egnp.exe', 'abc\\u202egnp.exe'],
    ['\u2066x\u2069\u200e\u200b\u2028\ufeff', '\\u2066x\\u2069\\u200e\\u200b\\u2028\\ufeff'],
    ['\u{e0041}', '\\u{e0041}'],
    ['\ud800', '\\ud800'],
  ])('%j becomes %j', (text, safe) => {
    expect(safeText(text)).toBe(safe);
  });

  test('is cut without halving a character', () => {
    expect(safeText('x'.repeat(300))).toBe(`${'x'.repeat(256)}…`);
    expect(safeText('ab🙂', { maxLength: 3 })).toBe('ab…');
    expect(safeText('abc', { maxLength: 3 })).toBe('abc');
  });
  test('is one visible line of bounded length, whatever it was, and safe text stays as it is', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: anyCharacter }), fc.string({ unit: anyCharacter, maxLength: 2_000 })),
        (text) => {
          const safe = safeText(text, { maxLength: 100 });
          expect(safe).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
          expect(safe.length).toBeLessThanOrEqual(100 * 10 + 1);
          expect(safeText(safe, { maxLength: 2_000 })).toBe(safe);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
