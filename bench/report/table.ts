/**
 * The results as text: tables for the terminal and for Markdown, the bars, the comparison of builds, and the notes.
 * Rule: an empty cell says why it is empty; every number stands beside its ratio to what the table compares with, and
 * is marked where its rounds lie too far apart for one.
 */
import { judge, noisySpread, type Verdict } from './bars.ts';
import type { PairName, Results } from './results.ts';
import { type RowName, row } from './row.ts';
import type { Section } from './section.ts';
import { median, range } from './statistics.ts';

/** Cells of a table, the first line being its head. */
export function tableCells(results: Results, section: Section): string[][] {
  const { rows, pairs, ratioTo } = section;
  const what = ratioTo === undefined ? '' : ` (times ${ratioTo === 'best' ? 'the best peer' : ratioTo.pair})`;
  const head = [`median${what}`, ...pairs.map(({ name }) => name)];
  return [
    head,
    ...rows.map((name) => [rowTitle(results, name), ...pairs.map((pair) => cell(results, { pair, name, ratioTo }))]),
  ];
}

/** Title and unit, and the rounds if there were fewer than in the rest of the run. */
export function rowTitle(results: Results, name: RowName): string {
  const rounds = results.roundsOf(name);
  const fewer = rounds > 0 && rounds < results.rounds ? ` (${rounds} ${rounds === 1 ? 'round' : 'rounds'})` : '';
  return `${row(name).title}, ${row(name).unit}${fewer}`;
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

/** Cells of the table of bars: one line for each bar and build, or nothing at all. */
export function barCells(results: Results): string[][] {
  const verdicts = judge(results);
  if (verdicts.length === 0) return [];
  const several = new Set(verdicts.map(({ build }) => build)).size > 1;
  return [
    ['measure', 'bar', 'goal', 'is', 'verdict'],
    ...verdicts.map((verdict) => [
      `${several ? `${verdict.build}: ` : ''}${row(verdict.bar.row).title}`,
      limit(verdict.bar, verdict.bar.bar),
      limit(verdict.bar, verdict.bar.goal),
      found(verdict),
      outcome(verdict),
    ]),
  ];
}

/** What the mark beside a number means, if there is one. */
export function noiseLines(results: Results): string[] {
  const noisy = results.rows.some((name) => results.pairs.some(({ name: pair }) => isNoisy(results, pair, name)));
  return noisy
    ? [
        `~: the rounds lie more than ${noisySpread * 100}% of their median apart (from five rounds on, the smallest ` +
          'and the largest left out): the machine was too noisy for a ratio',
      ]
    : [];
}

/** Compares each further build of Adit with the first, round by round, so that slower drift cancels out. */
export function comparisonLines(results: Results): string[] {
  const [first, ...others] = results.pairs.filter(({ kind, variantOf }) => kind === 'adit' && variantOf === undefined);
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

function cell(
  results: Results,
  { pair, name, ratioTo }: { readonly pair: PairName; readonly name: RowName; readonly ratioTo: Section['ratioTo'] },
): string {
  const value = results.median(pair.name, name);
  if (value === undefined) return results.absence(pair, name) === 'missing' ? 'missing' : '-';
  const mark = isNoisy(results, pair.name, name) ? ' ~' : '';
  const base =
    ratioTo === undefined
      ? undefined
      : ratioTo === 'best'
        ? results.best(name)?.value
        : results.median(ratioTo.pair, name);
  const compared = base !== undefined && base !== 0 && pair.kind !== 'bound';
  return `${number(value)}${compared ? ` (${times(value / base)})` : ''}${mark}`;
}

function isNoisy(results: Results, pair: string, name: RowName): boolean {
  return (results.spread(pair, name) ?? 0) > noisySpread;
}

function limit({ against, bound }: Verdict['bar'], ratio: number | undefined): string {
  if (ratio === undefined) return '';
  if (against === 'best') return `${bound} ${ratio}x the best peer`;
  if (against === 'any') return `${bound} ${ratio}x the best of all`;
  if ('pair' in against) return `${bound} ${ratio}x ${against.pair}`;
  return 'row' in against ? `${bound} ${ratio}x without bulk` : `${bound} ${ratio} ${against.unit}`;
}

function found({ against, bar }: Verdict): string {
  if (against === undefined) return '-';
  if (typeof bar.against === 'object' && 'unit' in bar.against) return `${number(against.ratio)} ${bar.against.unit}`;
  return `${times(against.ratio)}${against.name === '' ? '' : ` of ${against.name}`}`;
}

function outcome({ met, noise }: Verdict): string {
  if (met === undefined) return 'not measured';
  const word = (holds: boolean | undefined, prefix = ''): string[] =>
    holds === undefined ? [] : [`${prefix}${holds ? 'met' : 'not met'}`];
  const noisy = noise === undefined ? [] : [`too noisy (${Math.round(noise * 100)}%)`];
  return [...word(met.bar), ...word(met.goal, 'goal '), ...noisy].join(', ');
}

/** `1.05x`. */
export function times(ratio: number): string {
  return `${ratio.toFixed(2)}x`;
}

/** Three digits that count; whole numbers with their thousands apart. */
export function number(value: number): string {
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)));
}
