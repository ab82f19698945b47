import { describe, expect, test } from '@jest/globals';
import { type PairName, Results } from './results.ts';
import { sectionsOf } from './section.ts';

const pairs: PairName[] = [
  { name: 'direct', kind: 'bound' },
  { name: 'adit', kind: 'adit' },
  { name: 'nginx', kind: 'peer' },
  { name: 'adit-wss', kind: 'adit', variantOf: 'adit' },
];
const shown = (results: Results): unknown[] =>
  sectionsOf(results).map(({ title, rows, pairs: columns, ratioTo }) => [
    title,
    rows,
    columns.map(({ name }) => name),
    ratioTo,
  ]);

describe('the tables of a report', () => {
  test('have the pairs that were measured, each where it says something', () => {
    const results = new Results({
      pairs,
      rows: ['bulk-up', 'setup', 'churn', 'lossy-up1'],
      planned: (pair, row) =>
        row === 'bulk-up' ||
        (row === 'churn' ? pair === 'adit' : row === 'setup' ? pair !== 'adit-wss' : /^adit$|^direct$/.test(pair)),
    });
    expect(shown(results)).toEqual([
      ['Beside other tunnels', ['bulk-up', 'setup'], ['direct', 'adit', 'nginx'], 'best'],
      ['Other carriers, and what resumption costs', ['bulk-up'], ['adit', 'adit-wss'], { pair: 'adit' }],
      ['Start and memory', ['churn'], ['adit'], undefined],
      ['Across a link', ['lossy-up1'], ['direct', 'adit'], { pair: 'direct' }],
    ]);
  });
  test('are only those that have rows', () => {
    const results = new Results({ pairs: pairs.slice(0, 3), rows: ['mux-bulk'] });
    expect(sectionsOf(results).map(({ title }) => title)).toEqual(['The multiplexer alone']);
  });
});
