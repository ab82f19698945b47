import { describe, expect, test } from '@jest/globals';
import { judge } from './bars.ts';
import { Results } from './results.ts';
import type { RowName } from './row.ts';

function measured(values: Readonly<Record<string, Partial<Record<RowName, number>>>>): Results {
  const results = new Results({
    pairs: [
      { name: 'adit', kind: 'adit' },
      { name: 'nginx', kind: 'peer' },
    ],
    rows: ['rate', 'rate-cpu', 'setup'],
  });
  for (const [pair, of] of Object.entries(values)) results.add({ pair, round: 0, test: 'rate' }, of);
  return results;
}

describe('the bars', () => {
  test('ask at least or at most so many times the best peer, in rows that have one', () => {
    const verdicts = judge(
      measured({ adit: { rate: 2000, setup: 0.51, 'rate-cpu': 9 }, nginx: { rate: 1000, setup: 1, 'rate-cpu': 9 } }),
    );
    expect(verdicts).toEqual([
      { build: 'adit', row: 'rate', bar: { atLeast: 2 }, outcome: 'met', against: { pair: 'nginx', ratio: 2 } },
      {
        build: 'adit',
        row: 'setup',
        bar: { atMost: 0.5 },
        outcome: 'not met',
        against: { pair: 'nginx', ratio: 0.51 },
      },
    ]);
  });
  test.each([{ nginx: { rate: 1000, setup: 1 } }, { adit: { rate: 9999, setup: 0.1 } }])(
    'are not met by what was not measured: %j',
    (values) => {
      expect(judge(measured(values)).map(({ outcome }) => outcome)).toEqual(['not measured', 'not measured']);
    },
  );
});
