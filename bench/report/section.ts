/**
 * The tables of a report: which rows and which pairs stand together, and what the ratios in a table refer to.
 * Rule: every row that was measured stands in the table of its test; a pair has a column where it has a row.
 */
import { linkTests, type TestName } from '../options.ts';
import type { PairName, Results } from './results.ts';
import { type RowName, row } from './row.ts';

export interface Section {
  readonly title: string;
  readonly rows: readonly RowName[];
  readonly pairs: readonly PairName[];
  /** The best of the peers, a pair by name, or nothing. */
  readonly ratioTo: 'best' | { readonly pair: string } | undefined;
}

interface Plan {
  readonly title: string;
  readonly tests: readonly TestName[];
  readonly ratioTo: Section['ratioTo'];
  has(pair: PairName): boolean;
}

const loads: readonly TestName[] = ['bulk', 'bulk8', 'http', 'rate', 'setup', 'idle', 'idle10k'];
const noVariant = ({ variantOf }: PairName): boolean => variantOf === undefined;

const plans = (own: string): readonly Plan[] => [
  { title: 'Beside other tunnels', tests: loads, ratioTo: 'best', has: noVariant },
  {
    title: 'Other carriers, and what resumption costs',
    tests: loads,
    ratioTo: { pair: own },
    has: ({ name, variantOf }) => name === own || variantOf !== undefined,
  },
  { title: 'Start and memory', tests: ['start', 'rest', 'churn'], ratioTo: undefined, has: () => true },
  { title: 'Across a link', tests: linkTests, ratioTo: { pair: 'direct' }, has: () => true },
  { title: 'The multiplexer alone', tests: ['mux'], ratioTo: undefined, has: () => true },
];

/** The tables of these results, in order; none without rows. */
export function sectionsOf(results: Results): Section[] {
  const own = results.pairs.find((pair) => pair.kind === 'adit' && noVariant(pair))?.name ?? '';
  return plans(own).flatMap(({ title, tests, ratioTo, has }) => {
    const measured = (pair: PairName, name: RowName): boolean => results.isPlanned(pair.name, name);
    const ofTests = results.rows.filter((name) => tests.includes(row(name).test));
    const pairs = results.pairs.filter((pair) => has(pair) && ofTests.some((name) => measured(pair, name)));
    const subjects = pairs.filter(({ name }) => typeof ratioTo !== 'object' || name !== ratioTo.pair);
    const rows = ofTests.filter((name) => subjects.some((pair) => measured(pair, name)));
    return rows.length === 0 ? [] : [{ title, rows, pairs, ratioTo }];
  });
}
