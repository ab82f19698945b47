import { expect, test } from '@jest/globals';
import { Allowance } from './allowance.ts';

test('gives the burst at once, and after that what has come since', () => {
  const allowance = new Allowance({ perSecond: 100, burst: 1_000 }, 5_000);

  expect([600, 400, 1].map((amount) => allowance.spend(amount, 5_000))).toEqual([true, true, false]);
  expect([101, 100, 1].map((amount) => allowance.spend(amount, 6_000))).toEqual([false, true, false]);
});

test('never holds more than the burst, and a clock that goes back takes nothing away', () => {
  const allowance = new Allowance({ perSecond: 100, burst: 1_000 }, 0);

  expect(allowance.spend(1_001, 1e9)).toBe(false);
  expect(allowance.spend(1_000, 1e9 - 5)).toBe(true);
});
