import { describe, expect, test } from '@jest/globals';
import type { PairName } from './results.ts';
import { Results } from './results.ts';

const pairs: PairName[] = [
  { name: 'direct', kind: 'bound' },
  { name: 'adit', kind: 'adit' },
  { name: 'nginx', kind: 'peer' },
  { name: 'haproxy', kind: 'peer' },
  { name: 'wstunnel', kind: 'rival' },
];
const step = (pair: string, round = 0) => ({ pair, round, test: 'rate' as const });
const fresh = (): Results => new Results({ pairs, rows: ['rate', 'rate-cpu'] });

describe('results', () => {
  test('keep values by round, and the median of those that are there', () => {
    const results = fresh();
    results.add(step('adit', 0), { rate: 10 });
    results.add(step('adit', 2), { rate: 30 });
    expect(results.byRound('adit', 'rate')).toEqual([10, undefined, 30]);
    expect(results.median('adit', 'rate')).toBe(20);
    expect(results.median('nginx', 'rate')).toBeUndefined();
  });
  test('know the best peer of a row by the row, and never take Adit or the bound for one', () => {
    const results = fresh();
    results.add(step('direct'), { rate: 99 });
    results.add(step('adit'), { rate: 90, 'rate-cpu': 1 });
    results.add(step('nginx'), { rate: 20, 'rate-cpu': 7 });
    results.add(step('haproxy'), { rate: 10, 'rate-cpu': 5 });
    results.add(step('wstunnel'), { rate: 40 });
    expect(results.best('rate')).toEqual({ pair: 'nginx', value: 20 });
    expect(results.best('rate-cpu')).toEqual({ pair: 'haproxy', value: 5 });
    expect(results.best('rate', 'any')).toEqual({ pair: 'wstunnel', value: 40 });
  });
  test('tell a row that does not exist without a tunnel from one that failed', () => {
    const results = fresh();
    expect(results.absence(pairs[0]!, 'rate-cpu')).toBe('not applicable');
    expect(results.absence(pairs[1]!, 'rate-cpu')).toBe('missing');
    results.notes.push({ ...step('direct'), text: 'wrk is not installed', failed: true });
    expect(results.absence(pairs[0]!, 'rate-cpu')).toBe('missing');
  });
  test('tell a row that was never planned from one that failed', () => {
    const results = new Results({ pairs, rows: ['churn'], planned: (pair) => pair === 'adit' });
    expect(pairs.map((pair) => results.absence(pair, 'churn'))).toEqual([
      'not applicable',
      'missing',
      'not applicable',
      'not applicable',
      'not applicable',
    ]);
  });
  test('know in how many rounds a row was measured, and how far these lie apart', () => {
    const results = fresh();
    for (const [round, rate] of [100, 110, 120].entries()) results.add(step('adit', round), { rate });
    results.add(step('nginx', 0), { rate: 1 });
    expect([results.roundsOf('rate'), results.roundsOf('rate-cpu')]).toEqual([3, 0]);
    expect(results.spread('adit', 'rate')).toBeCloseTo(20 / 110);
    expect(results.spread('nginx', 'rate')).toBeUndefined();
  });
  test('go into JSON with null where a round brought nothing', () => {
    const results = fresh();
    results.add(step('adit', 1), { rate: 30 });
    expect(JSON.parse(JSON.stringify(results))).toMatchObject({ values: { rate: { adit: [null, 30], nginx: [] } } });
  });
});
