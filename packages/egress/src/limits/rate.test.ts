import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Rates } from './rate.ts';

test('a burst passes, then the rate holds, and the wait that is told is enough', () => {
  const rates = new Rates({ perSecond: 10, burst: 3 });
  expect([1, 2, 3].map(() => rates.take('alice', 0))).toEqual([0, 0, 0]);
  expect(rates.take('alice', 0)).toBe(100);
  expect(rates.take('bob', 0)).toBe(0);
  expect(rates.take('alice', 100)).toBe(0);
});

test('a bucket that is full again is forgotten', () => {
  const rates = new Rates({ perSecond: 10, burst: 3 });
  rates.take('alice', 0);
  rates.sweep(50);
  expect(rates.size).toBe(1);
  rates.sweep(100);
  expect(rates.size).toBe(0);
});

test('full buckets are forgotten by themselves, as others take tokens', () => {
  const rates = new Rates({ perSecond: 10, burst: 3 });
  rates.take('alice', 0);
  rates.take('bob', 14_999);
  expect(rates.size).toBe(2);
  rates.take('bob', 15_000);
  expect(rates.size).toBe(1);
});

test('never more than burst + rate * time, whatever the order of tries', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(300), { maxLength: 60 }), (pauses) => {
      const rates = new Rates({ perSecond: 20, burst: 5 });
      let now = 0;
      let passed = 0;
      for (const pause of pauses) {
        now += pause;
        if (rates.take('a', now) === 0) passed++;
        if (pause % 7 === 0) rates.sweep(now);
      }
      expect(passed).toBeLessThanOrEqual(5 + (now / 1000) * 20 + 1e-6);
    }),
  );
});
