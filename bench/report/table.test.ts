import { describe, expect, test } from '@jest/globals';
import { Results } from './results.ts';
import { alignTable, barLines, comparisonLines, markdownTable, noteLines, tableCells } from './table.ts';

const rate = (pair: string, round = 0) => ({ pair, round, test: 'rate' as const });

function measured(): Results {
  const results = new Results({
    pairs: [
      { name: 'direct', kind: 'bound' },
      { name: 'adit', kind: 'adit' },
      { name: 'other', kind: 'adit' },
      { name: 'nginx', kind: 'peer' },
      { name: 'socat', kind: 'peer' },
    ],
    rows: ['rate', 'rate-cpu'],
  });
  results.add(rate('direct'), { rate: 12_345.6 });
  for (const [round, value] of [3000, 1500].entries())
    results.add(rate('adit', round), { rate: value, 'rate-cpu': 250 });
  for (const [round, value] of [3300, 1800].entries()) results.add(rate('other', round), { rate: value });
  results.add(rate('nginx'), { rate: 1000, 'rate-cpu': 99.94 });
  results.notes.push(
    { ...rate('socat', 1), text: 'wrk was not done after 21 s', failed: true },
    { ...rate('adit'), text: 'Socket errors: read 1', failed: false },
  );
  return results;
}

describe('the table', () => {
  test('puts the ratio to the best peer beside every median, and says why a cell is empty', () => {
    expect(tableCells(measured())).toEqual([
      ['median (times the best peer)', 'direct', 'adit', 'other', 'nginx', 'socat'],
      [
        'a connection per request, 64 at once, connections/s',
        '12,346',
        '2,250 (2.25x)',
        '2,550 (2.55x)',
        '1,000 (1.00x)',
        'missing',
      ],
      [
        'a connection per request, CPU of the pair, µs/connection',
        '-',
        '250 (2.50x)',
        'missing',
        '99.9 (1.00x)',
        'missing',
      ],
    ]);
  });
  test('stands in line on a terminal', () => {
    expect(
      alignTable([
        ['row', 'a'],
        ['x', '1,000'],
      ]),
    ).toEqual(['row      a', 'x    1,000']);
  });
  test('is a table in Markdown', () => {
    expect(
      markdownTable([
        ['row', 'a|b'],
        ['x', '1'],
      ]),
    ).toEqual(['| row | a\\|b |', '| --- | ---: |', '| x | 1 |']);
  });
});

test('the bars say what was asked, what came of it and against whom', () => {
  expect(barLines(measured())).toEqual([
    'met: adit, a connection per request, 64 at once: wanted at least 2x the best peer, is 2.25x of nginx',
    'met: other, a connection per request, 64 at once: wanted at least 2x the best peer, is 2.55x of nginx',
  ]);
});
test('builds are compared round by round', () => {
  expect(comparisonLines(measured())).toEqual([
    'other / adit  a connection per request, 64 at once: 1.15x (1.10x to 1.20x; more is better)',
    'other / adit  a connection per request, CPU of the pair: missing',
  ]);
});
test('notes tell what failed from what was only seen', () => {
  expect(noteLines(measured())).toEqual([
    'socat, rate, round 2: not measured: wrk was not done after 21 s',
    'adit, rate, round 1: Socket errors: read 1',
  ]);
});
