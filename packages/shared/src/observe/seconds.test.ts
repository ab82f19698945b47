import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { seconds } from './seconds.ts';

test.each([
  [0, '0 s'],
  [1, '0.001 s'],
  [50, '0.05 s'],
  [1_115.715_078, '1.12 s'],
  [1_500, '1.5 s'],
  [9_998.4, '10 s'],
  [10_000, '10 s'],
  [123_456, '123 s'],
  [3_599_999.6, '3600 s'],
])('%d ms are %s', (ms, text) => {
  expect(seconds(ms)).toBe(text);
});

test('no time has more than three digits after another, but whole seconds', () => {
  fc.assert(
    fc.property(fc.double({ min: 0.001, max: 2 ** 31, noNaN: true }), (ms) => {
      expect(seconds(ms)).toMatch(/^(?:\d+|\d?\d\.\d{1,2}|0\.0*\d{1,3}|\d(?:\.\d+)?e-\d+) s$/);
    }),
  );
});
