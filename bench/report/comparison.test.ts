import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { judgement, noiseOf, ratioOf, revisionCells } from './comparison.ts';
import { Results } from './results.ts';

const rounds = fc.array(fc.double({ noNaN: true, min: 0.001, max: 1e6 }), { minLength: 2, maxLength: 30 });
/** As many rounds as it has ratios, twice: an even round of each ratio and an odd round of 1. */
const noisy = (...ratios: number[]): number[] => ratios.flatMap((ratio) => [ratio, 1]);

describe('two builds', () => {
  test('are compared round by round: median, and the middle half of the ratios', () => {
    expect(ratioOf([110, 60, 240, 10], [100, 50, 200, 10])).toEqual({ median: 1.15, low: 1, high: 1.2 });
  });
  test('are compared in rounds that brought both values', () => {
    expect(ratioOf([3, undefined, 8], [2, 5, undefined])).toEqual({ median: 1.5, low: 1.5, high: 1.5 });
    expect(ratioOf([undefined], [1])).toBeUndefined();
    expect(ratioOf([1], [0])).toBeUndefined();
  });
  test('are equal where every round is, whatever changes from round to round', () => {
    fc.assert(
      fc.property(rounds, (values) => {
        expect(ratioOf(values, values)).toEqual({ median: 1, low: 1, high: 1 });
      }),
    );
  });
});

describe('the noise', () => {
  test('is that of neighbouring rounds; a last one without a neighbour is left out', () => {
    expect(noiseOf([2, 1, 3, 4, 7])).toEqual({ ratio: { median: 1.375, low: 0.75, high: 2 }, pairs: 2 });
  });
  test('keeps the halves in step where a round brought nothing', () => {
    expect(noiseOf([undefined, 1, 3, 4])).toEqual({ ratio: { median: 0.75, low: 0.75, high: 0.75 }, pairs: 1 });
  });
  test('is unknown from one round', () => {
    expect(noiseOf([1])).toBeUndefined();
  });
});

describe('the judgement', () => {
  const at = (median: number) => ({ median, low: median, high: median });
  const noise = noiseOf(noisy(0.9, 1, 1, 1.05));
  test('takes a ratio inside the noise for no difference, to either side', () => {
    expect(noiseOf(noisy(0.8, 0.9, 1, 1.05))!.ratio).toEqual({ median: 0.95, low: 0.8, high: 1 });
    for (const median of [0.96, 1, 1.04])
      expect(judgement(at(median), noiseOf(noisy(0.8, 0.9, 1, 1.05)), 'more')).toBe('within the noise');
    // 0.8 is 1.25 to the other side.
    expect(judgement(at(1.24), noiseOf(noisy(0.8, 0.9, 1, 1.05)), 'less')).toBe('within the noise');
    expect(judgement(at(1.26), noiseOf(noisy(0.8, 0.9, 1, 1.05)), 'less')).toBe('worse');
  });
  test('says which way is better', () => {
    expect(judgement(at(1.5), noise, 'more')).toBe('better');
    expect(judgement(at(1.5), noise, 'less')).toBe('worse');
    expect(judgement(at(0.5), noise, 'more')).toBe('worse');
    expect(judgement(at(0.5), noise, 'less')).toBe('better');
  });
  test('is withheld where too few rounds show the noise', () => {
    expect(judgement(at(9), noiseOf(noisy(1, 1, 1)), 'more')).toBe('too few rounds');
    expect(judgement(at(9), undefined, 'more')).toBe('too few rounds');
  });
});

test('the table shows both medians, the ratio, the noise and the judgement', () => {
  const results = new Results({
    pairs: [
      { name: 'f00', kind: 'adit' },
      { name: 'adit', kind: 'adit' },
    ],
    rows: ['rate', 'rate-cpu'],
  });
  for (let round = 0; round < 8; round++) {
    results.add({ pair: 'f00', round, test: 'rate' }, { rate: 1000 + round });
    results.add({ pair: 'adit', round, test: 'rate' }, { rate: 2 * (1000 + round) });
  }
  expect(revisionCells(results, { before: 'f00', after: 'adit' })).toEqual([
    ['median', 'f00', 'adit', 'adit / f00', 'noise: adit, even / odd rounds', ''],
    [
      'a connection per request, 64 at once, connections/s (more is better)',
      '1,004',
      '2,007',
      '2.00x (2.00x to 2.00x)',
      '1.00x (1.00x to 1.00x)',
      'better',
    ],
    [
      'a connection per request, CPU of the pair, µs/connection (less is better)',
      'missing',
      'missing',
      'missing',
      'missing',
      '',
    ],
  ]);
});
