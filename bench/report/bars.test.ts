import { describe, expect, test } from '@jest/globals';
import { barList } from './bar-list.ts';
import { judge } from './bars.ts';
import { type PairName, Results } from './results.ts';
import { type RowName, rowNames } from './row.ts';

const pairs: PairName[] = [
  { name: 'adit', kind: 'adit' },
  { name: 'adit-wss', kind: 'adit', variantOf: 'adit' },
  { name: 'nginx', kind: 'peer' },
  { name: 'chisel', kind: 'rival' },
];

function measured(
  rows: readonly RowName[],
  values: Readonly<Record<string, Partial<Record<RowName, number>>>>,
): Results {
  const results = new Results({ pairs, rows });
  for (const [pair, of] of Object.entries(values)) results.add({ pair, round: 0, test: 'rate' }, of);
  return results;
}
const verdicts = (results: Results): unknown[] =>
  judge(results).map(({ build, bar, met, against }) => [build, bar.row, against?.name, against?.ratio, met]);

describe('the bars', () => {
  test('compare with the best peer, with one pair by name, and with the best of all', () => {
    const results = measured(['rate', 'http', 'rate-cpu'], {
      adit: { rate: 4000, http: 14, 'rate-cpu': 9 },
      nginx: { rate: 1000, http: 8, 'rate-cpu': 9 },
      chisel: { rate: 4000, http: 10 },
    });
    expect(verdicts(results)).toEqual([
      ['adit', 'http', 'chisel', 1.4, { bar: true, goal: false }],
      ['adit', 'rate', 'nginx', 4, { bar: true }],
      ['adit', 'rate', 'chisel', 1, { bar: false }],
    ]);
  });
  test('compare with a number, and with the same load alone', () => {
    const results = measured(['churn', 'clean-bbr-first', 'clean-bbr-first-up'], {
      adit: { churn: 1.1, 'clean-bbr-first': 40, 'clean-bbr-first-up': 50 },
    });
    expect(verdicts(results)).toEqual([
      ['adit', 'churn', '', 1.1, { bar: true, goal: true }],
      ['adit', 'clean-bbr-first-up', 'idle', 1.25, { bar: true, goal: false }],
    ]);
  });
  test('of a variant judge it alone, beside the build that it is one of', () => {
    const results = measured(['bulk-up'], {
      adit: { 'bulk-up': 10 },
      'adit-wss': { 'bulk-up': 7 },
      nginx: { 'bulk-up': 5 },
    });
    expect(verdicts(results)).toEqual([
      ['adit', 'bulk-up', 'nginx', 2, { bar: true }],
      ['adit-wss', 'bulk-up', 'adit', 0.7, { bar: false, goal: false }],
    ]);
  });
  test.each([{ nginx: { rate: 1000 }, chisel: { rate: 1 } }, { adit: { rate: 9999 } }])(
    'are not met by what was not measured: %j',
    (values) => {
      expect(judge(measured(['rate'], values)).map(({ met }) => met)).toEqual([undefined, undefined]);
    },
  );
  test('say when the rounds of one side lie too far apart', () => {
    const results = new Results({ pairs, rows: ['rate'] });
    for (const [round, rate] of [100, 200, 300].entries())
      results.add({ pair: 'nginx', round, test: 'rate' }, { rate });
    for (const [round, rate] of [990, 1000, 1010].entries())
      results.add({ pair: 'adit', round, test: 'rate' }, { rate });
    expect(judge(results).map(({ against, noise }) => [against?.name, noise])).toEqual([
      ['nginx', 1],
      [undefined, undefined],
    ]);
  });
  test('are about rows that exist', () => {
    for (const { row, against } of barList) {
      expect(rowNames).toContain(row);
      if (typeof against === 'object' && 'row' in against) expect(rowNames).toContain(against.row);
    }
  });
});
