/**
 * Whether each build of Adit meets the bars (bar-list.ts).
 * Rule: what could not be compared has no verdict, and is not met. Where the rounds of a side differ too much,
 * the verdict says so.
 */
import { type Bar, barList } from './bar-list.ts';
import type { Results } from './results.ts';
import type { RowName } from './row.ts';

export interface Verdict {
  readonly build: string;
  readonly bar: Bar;
  /** Absent: it could not be measured. */
  readonly met?: { readonly bar?: boolean; readonly goal?: boolean };
  /** What it was compared with, in words, and the ratio; a ratio to a number is the median itself. */
  readonly against?: { readonly name: string; readonly ratio: number };
  /** The larger spread of the two sides, when it is too large for a ratio. */
  readonly noise?: number;
}

/** Above this spread of the rounds, a ratio of medians says little. */
export const noisySpread = 0.3;

/** One verdict for each bar and each build that it is about; none for rows and pairs that were not to be measured. */
export function judge(results: Results): Verdict[] {
  const builds = results.pairs.filter(({ kind }) => kind === 'adit');
  return barList
    .filter(({ row, against }) => results.rows.includes(row) && isMeasured(results, against))
    .flatMap((bar) =>
      builds
        .filter(({ name, variantOf }) => (bar.of === undefined ? variantOf === undefined : name === bar.of))
        .map(({ name }) => verdict(results, name, bar)),
    );
}

function isMeasured({ pairs }: Results, against: Bar['against']): boolean {
  return typeof against === 'string' || !('pair' in against) || pairs.some(({ name }) => name === against.pair);
}

interface Side {
  readonly pair: string;
  readonly row: RowName;
}

function verdict(results: Results, build: string, bar: Bar): Verdict {
  const own: Side = { pair: build, row: bar.row };
  const ours = results.median(build, bar.row);
  const other = otherSide(results, own, bar.against);
  const divisor = other === 'number' ? 1 : other && results.median(other.pair, other.row);
  if (ours === undefined || other === undefined || divisor === undefined) return { build, bar };
  const ratio = ours / divisor;
  const sides = other === 'number' ? [own] : [own, other];
  const noise = Math.max(...sides.map(({ pair, row }) => results.spread(pair, row) ?? 0));
  return {
    build,
    bar,
    met: {
      ...(bar.bar !== undefined && { bar: meets(bar, ratio, bar.bar) }),
      ...(bar.goal !== undefined && { goal: meets(bar, ratio, bar.goal) }),
    },
    against: { name: other === 'number' ? '' : other.row === bar.row ? other.pair : 'idle', ratio },
    ...(noise > noisySpread && { noise }),
  };
}

function meets({ bound }: Bar, ratio: number, limit: number): boolean {
  return bound === 'at least' ? ratio >= limit : ratio <= limit;
}

function otherSide(results: Results, own: Side, against: Bar['against']): Side | 'number' | undefined {
  if (against === 'best' || against === 'any') {
    const best = results.best(own.row, against);
    return best && { pair: best.pair, row: own.row };
  }
  if ('pair' in against) return { pair: against.pair, row: own.row };
  return 'row' in against ? { pair: own.pair, row: against.row } : 'number';
}
