/**
 * Two builds against each other, row by row, beside the noise that one build makes by itself.
 * Rule: values are compared within a round, or with the next round, so that what changes slower than a round cancels
 * out. The noise is this build's even rounds against its odd ones: nothing differs there, so a difference within it
 * shows nothing.
 */
import type { Results } from './results.ts';
import { type RowName, row } from './row.ts';
import { median, percentile } from './statistics.ts';
import { number, times } from './table.ts';

/** The median of some ratios, and where the middle half of them lies. */
export interface Ratio {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}
export type Judgement = 'within the noise' | 'better' | 'worse' | 'too few rounds';

/** With fewer pairs of rounds than this, the noise is unknown. */
const fewestPairs = 4;

/** `after / before` of the rounds that brought both; undefined when none did. */
export function ratioOf(
  after: readonly (number | undefined)[],
  before: readonly (number | undefined)[],
): Ratio | undefined {
  return summary(ratios(after, before));
}

/** Each even round against the odd one that follows it. */
export function noiseOf(
  rounds: readonly (number | undefined)[],
): { readonly ratio: Ratio; readonly pairs: number } | undefined {
  const half = (odd: number): (number | undefined)[] => rounds.filter((_, round) => round % 2 === odd);
  const found = ratios(half(0), half(1));
  const ratio = summary(found);
  return ratio && { ratio, pairs: found.length };
}

/** Whether a ratio is more than the noise, to either side of 1. */
export function judgement(ratio: Ratio, noise: ReturnType<typeof noiseOf>, better: 'more' | 'less'): Judgement {
  if (noise === undefined || noise.pairs < fewestPairs) return 'too few rounds';
  const band = Math.max(noise.ratio.high, 1 / noise.ratio.low);
  if (ratio.median <= band && ratio.median >= 1 / band) return 'within the noise';
  return ratio.median > 1 === (better === 'more') ? 'better' : 'worse';
}

/** Cells of the table, the first line being its head. */
export function revisionCells(
  results: Results,
  { before, after }: { readonly before: string; readonly after: string },
): string[][] {
  const head = ['median', before, after, `${after} / ${before}`, `noise: ${after}, even / odd rounds`, ''];
  return [head, ...results.rows.map((name) => cells(results, name, { before, after }))];
}

function cells(
  results: Results,
  name: RowName,
  { before, after }: { readonly before: string; readonly after: string },
): string[] {
  const [old, own] = [results.byRound(before, name), results.byRound(after, name)];
  const [ratio, noise] = [ratioOf(own, old), noiseOf(own)];
  const better = row(name).better;
  return [
    `${row(name).title}, ${row(name).unit} (${better} is better)`,
    ...[before, after].map((pair) => {
      const value = results.median(pair, name);
      return value === undefined ? 'missing' : number(value);
    }),
    spread(ratio),
    spread(noise?.ratio),
    ratio === undefined ? '' : judgement(ratio, noise, better),
  ];
}

function spread(ratio: Ratio | undefined): string {
  return ratio === undefined ? 'missing' : `${times(ratio.median)} (${times(ratio.low)} to ${times(ratio.high)})`;
}

function ratios(after: readonly (number | undefined)[], before: readonly (number | undefined)[]): number[] {
  return after.flatMap((value, at) => {
    const other = before[at];
    return value === undefined || other === undefined || other === 0 ? [] : [value / other];
  });
}

function summary(values: readonly number[]): Ratio | undefined {
  if (values.length === 0) return undefined;
  return { median: median(values), low: percentile(values, 25), high: percentile(values, 75) };
}
