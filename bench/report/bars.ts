/**
 * Whether each build of Adit meets the bars: its median against the median of the best peer of the row.
 * Rule: what could not be compared is "not measured", which is not "met".
 */
import type { Results } from './results.ts';
import { type Bar, type RowName, row } from './row.ts';

export interface Verdict {
  readonly build: string;
  readonly row: RowName;
  readonly bar: Bar;
  readonly outcome: 'met' | 'not met' | 'not measured';
  /** Adit's median by the best peer's, with that peer. */
  readonly against?: { readonly pair: string; readonly ratio: number };
}

/** One verdict for each build and each row that has a bar. */
export function judge(results: Results): Verdict[] {
  return results.pairs
    .filter(({ kind }) => kind === 'adit')
    .flatMap(({ name: build }) =>
      results.rows.flatMap((name) => {
        const { bar } = row(name);
        return bar === undefined ? [] : [verdict(results, { build, row: name, bar })];
      }),
    );
}

function verdict(results: Results, subject: Pick<Verdict, 'build' | 'row' | 'bar'>): Verdict {
  const ours = results.median(subject.build, subject.row);
  const best = results.best(subject.row);
  if (ours === undefined || best === undefined) return { ...subject, outcome: 'not measured' };
  const ratio = ours / best.value;
  return { ...subject, outcome: meets(ratio, subject.bar) ? 'met' : 'not met', against: { pair: best.pair, ratio } };
}

function meets(ratio: number, bar: Bar): boolean {
  return 'atLeast' in bar ? ratio >= bar.atLeast : ratio <= bar.atMost;
}
