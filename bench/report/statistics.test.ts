import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { median, percentile, range, spread } from './statistics.ts';

const numbers = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 }), { minLength: 1 });

describe('statistics', () => {
  test('take the middle, or the mean of the two in the middle', () => {
    expect(median([5, 1, 3])).toBe(3);
    expect(median([4, 10, 1, 2])).toBe(3);
  });
  test('take percentiles by nearest rank', () => {
    const hundred = Array.from({ length: 100 }, (_, at) => at + 1);
    expect([50, 99, 100, 0].map((percent) => percentile(hundred, percent))).toEqual([50, 99, 100, 1]);
    expect(percentile([7], 99)).toBe(7);
  });
  test('sort numbers as numbers', () => {
    expect(range([10, 9, 100])).toEqual([9, 100]);
  });
  test('tell how far values lie apart, and take one outlier on each side for none', () => {
    expect(spread([10, 11, 12])).toBeCloseTo(2 / 11);
    expect(spread([1, 10, 11, 12, 90])).toBeCloseTo(2 / 11);
    expect([spread([1, 9]), spread([]), spread([-1, 0, 1])]).toEqual([undefined, undefined, undefined]);
  });
  test('of nothing fail', () => {
    for (const statistic of [median, range, (values: number[]) => percentile(values, 50)])
      expect(() => statistic([])).toThrow(RangeError);
  });
  test('lie between the smallest and the largest, and leave the values alone', () => {
    fc.assert(
      fc.property(numbers, fc.integer({ min: 0, max: 100 }), (values, percent) => {
        const copy = [...values];
        const [smallest, largest] = range(values);
        for (const value of [median(values), percentile(values, percent)]) {
          expect(value).toBeGreaterThanOrEqual(smallest);
          expect(value).toBeLessThanOrEqual(largest);
        }
        expect(values).toEqual(copy);
      }),
    );
  });
});
