import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { newBackoff } from './backoff.ts';

test('the first wait is nothing, then its bound doubles up to the cap', () => {
  const backoff = newBackoff({ random: () => 1 - Number.EPSILON / 2 });
  expect(Array.from({ length: 10 }, () => backoff.next())).toEqual([0, 49, 99, 199, 399, 799, 1599, 3199, 4999, 4999]);
});
test('a reset starts over', () => {
  const backoff = newBackoff({ random: () => 0.5 });
  for (let round = 0; round < 5; round++) backoff.next();
  backoff.reset();
  expect([backoff.next(), backoff.next()]).toEqual([0, 25]);
});
test('a wait is a whole number within the cap, whatever the numbers drawn', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { minLength: 1 }),
      fc.integer({ min: 1, max: 10_000 }),
      fc.integer({ min: 1, max: 60_000 }),
      (draws, firstMs, capMs) => {
        let at = 0;
        const backoff = newBackoff({ firstMs, capMs, random: () => draws[at++ % draws.length]! });
        for (let round = 0; round < 40; round++) {
          const wait = backoff.next();
          expect(Number.isInteger(wait) && wait >= 0 && wait < capMs).toBe(true);
        }
      },
    ),
  );
});
