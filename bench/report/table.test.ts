import { describe, expect, test } from '@jest/globals';
import { Results } from './results.ts';
import { sectionsOf } from './section.ts';
import { alignTable, barCells, comparisonLines, markdownTable, noiseLines, noteLines, tableCells } from './table.ts';

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
    expect(tableCells(measured(), sectionsOf(measured())[0]!)).toEqual([
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
  expect(barCells(measured())).toEqual([
    ['measure', 'bar', 'goal', 'is', 'verdict'],
    ['adit: a connection per request, 64 at once', 'at least 4x the best peer', '', '2.25x of nginx', 'not met'],
    ['other: a connection per request, 64 at once', 'at least 4x the best peer', '', '2.55x of nginx', 'not met'],
  ]);
  expect(barCells(new Results({ pairs: [{ name: 'adit', kind: 'adit' }], rows: ['idle-base'] }))).toEqual([]);
});
test('a bar of a number says the number, and a goal beside it whether it is met', () => {
  const results = new Results({ pairs: [{ name: 'adit', kind: 'adit' }], rows: ['start-egress'] });
  results.add({ pair: 'adit', round: 0, test: 'start' }, { 'start-egress': 0.21 });
  expect(barCells(results)[1]).toEqual([
    'start of `adit egress` to `listening`',
    'at most 0.3 s',
    'at most 0.15 s',
    '0.21 s',
    'met, goal not met',
  ]);
});
test('a row that was measured in fewer rounds says so, and noisy rounds are marked', () => {
  const results = new Results({ pairs: [{ name: 'adit', kind: 'adit' }], rows: ['churn'], rounds: 7 });
  for (const [round, churn] of [1, 2, 3].entries()) results.add({ pair: 'adit', round, test: 'churn' }, { churn });
  expect(tableCells(results, sectionsOf(results)[0]!)).toEqual([
    ['median', 'adit'],
    ['the same, times that at its start, times (3 rounds)', '2 ~'],
  ]);
  expect(noiseLines(results)[0]).toContain('more than 30% of their median apart');
  expect(barCells(results)[1]!.at(-1)).toBe('not met, goal not met, too noisy (100%)');
  expect(noiseLines(measured())).toEqual([]);
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
