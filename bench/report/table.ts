/**
 * The results as text: a table for the terminal and for Markdown, the bars, the comparison of builds, and the notes.
 * Rule: an empty cell says why it is empty; every number stands beside its ratio to the best peer of the row.
 */
import { judge, type Verdict } from './bars.ts';
import type { PairName, Results } from './results.ts';
import { type RowName, row } from './row.ts';
import { median, range } from './statistics.ts';

/** Cells of the table, the first line being its head. */
export function tableCells(results: Results): string[][] {
  const head = ['median (times the best peer)', ...results.pairs.map(({ name }) => name)];
  return [
    head,
    ...results.rows.map((name) => [
      `${row(name).title}, ${row(name).unit}`,
      ...results.pairs.map((pair) => cell(results, pair, name)),
    ]),
  ];
}

/** For a terminal: columns in line, numbers to the right. */
export function alignTable(cells: readonly (readonly string[])[]): string[] {
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((line) => line[column]!.length)));
  return cells.map((line) =>
    line
      .map((text, column) => (column === 0 ? text.padEnd(widths[column]!) : text.padStart(widths[column]!)))
      .join('  ')
      .trimEnd(),
  );
}

/** For Markdown. */
export function markdownTable(cells: readonly (readonly string[])[]): string[] {
  const [head = [], ...body] = cells.map(
    (line) => `| ${line.map((text) => text.replaceAll('|', String.raw`\|`)).join(' | ')} |`,
  );
  const rule = `| ${(cells[0] ?? []).map((_, column) => (column === 0 ? '---' : '---:')).join(' | ')} |`;
  return [head as string, rule, ...body];
}

/** One line for each bar and build. */
export function barLines(results: Results): string[] {
  return judge(results).map((verdict) => `${verdict.outcome}: ${explain(verdict)}`);
}

/** Compares each further build of Adit with the first, round by round, so that slower drift cancels out. */
export function comparisonLines(results: Results): string[] {
  const [first, ...others] = results.pairs.filter(({ kind }) => kind === 'adit');
  if (first === undefined) return [];
  return others.flatMap(({ name }) =>
    results.rows.flatMap((rowName) => {
      const base = results.byRound(first.name, rowName);
      const ratios = results.byRound(name, rowName).flatMap((value, round) => {
        const other = base[round];
        return value === undefined || other === undefined ? [] : [value / other];
      });
      if (ratios.length === 0) return [`${name} / ${first.name}  ${row(rowName).title}: missing`];
      const [least, most] = range(ratios);
      return [
        `${name} / ${first.name}  ${row(rowName).title}: ${times(median(ratios))} (${times(least)} to ` +
          `${times(most)}; ${row(rowName).better} is better)`,
      ];
    }),
  );
}

/** What went wrong, in the order it happened. */
export function noteLines(results: Results): string[] {
  return results.notes.map(
    ({ pair, test, round, text, failed }) =>
      `${pair}, ${test}, round ${round + 1}: ${failed ? 'not measured: ' : ''}${text}`,
  );
}

function cell(results: Results, pair: PairName, name: RowName): string {
  const value = results.median(pair.name, name);
  if (value === undefined) return results.absence(pair, name) === 'missing' ? 'missing' : '-';
  const best = results.best(name);
  return pair.kind === 'bound' || best === undefined
    ? number(value)
    : `${number(value)} (${times(value / best.value)})`;
}

function explain({ build, row: name, bar, against }: Verdict): string {
  const wanted = 'atLeast' in bar ? `at least ${bar.atLeast}x` : `at most ${bar.atMost}x`;
  return (
    `${build}, ${row(name).title}: wanted ${wanted} the best ` +
    `peer${against === undefined ? '' : `, is ${times(against.ratio)} of ${against.pair}`}`
  );
}

/** `1.05x`. */
export function times(ratio: number): string {
  return `${ratio.toFixed(2)}x`;
}

/** Three digits that count; whole numbers with their thousands apart. */
export function number(value: number): string {
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)));
}
