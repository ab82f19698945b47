import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { formatDuration, maxDurationMs, parseDeadline, parseDuration } from './duration.ts';

describe('a duration', () => {
  test.each([
    ['500ms', 500],
    ['10s', 10_000],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['1.5s', 1_500],
    ['10', 10_000],
    ['0.25', 250],
    ['0', 0],
    ['0s', 0],
    ['596h', 2_145_600_000],
  ])('"%s" is %i ms', (text, value) => {
    expect(parseDuration(text)).toEqual({ ok: true, value });
  });
  test.each([
    '',
    ' ',
    '10 s',
    '-1s',
    '+1s',
    '1d',
    '1S',
    '1e3',
    '.5s',
    '5.',
    '1m30s',
    '0x10',
    'Infinity',
    'NaN',
    '597h',
    '9'.repeat(400),
    '0.0001ms',
    '１０s',
  ])('"%s" is refused with a reason', (text) => {
    expect(parseDuration(text)).toEqual({
      ok: false,
      reason: expect.stringMatching(/^(not a duration|too long|shorter than)/),
    });
  });
  test('reads back what formatDuration writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: maxDurationMs }), (ms) => {
        expect(parseDuration(formatDuration(ms))).toEqual({ ok: true, value: ms });
      }),
    );
  });
  test('never throws, and always fits a timer', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9.]{1,15}(ms|s|m|h|d)?$/)), (text) => {
        const result = parseDuration(text);
        if (result.ok) {
          expect(Number.isInteger(result.value)).toBe(true);
          expect(result.value).toBeLessThanOrEqual(maxDurationMs);
          expect(result.value).toBeGreaterThanOrEqual(0);
        } else expect(result.reason).not.toBe('');
      }),
    );
  });
});

describe('a deadline', () => {
  test('is a duration that is not 0', () => {
    expect(parseDeadline('10s')).toEqual({ ok: true, value: 10_000 });
    expect(parseDeadline('0')).toEqual({ ok: false, reason: expect.stringContaining('0 is not allowed') });
    expect(parseDeadline('x').ok).toBe(false);
  });
});
