import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseReplaySize, parseSize } from './size.ts';

test('reads bytes with and without a unit', () => {
  expect(['4096', '64k', '8M', '1g'].map((text) => parseSize(text))).toEqual(
    [4096, 65_536, 8_388_608, 1_073_741_824].map((value) => ({ ok: true, value })),
  );
});

test('refuses what is no size, too large or too small, and says what to write', () => {
  for (const text of ['', '8MB', '-1', '1.5M', ' 8M', '8 M', '0', '99999999999999999'])
    expect(parseSize(text).ok).toBe(false);
  expect(parseSize('8MB')).toEqual({ ok: false, reason: 'not a size: write 65536, 64k, 8M or 1G' });
  expect(parseReplaySize('64k')).toEqual({ ok: false, reason: 'too small: at least 1048576 bytes' });
});

test('never throws and never gives anything but a safe number', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^\d{0,20}[kKmMgG]?$/)), (text) => {
      const result = parseSize(text);
      if (result.ok) expect(Number.isSafeInteger(result.value)).toBe(true);
    }),
  );
});
