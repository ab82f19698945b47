/**
 * What Adit has to reach, and what it aims for, row by row.
 * Rule: a bar compares medians of one run: ours with those of the best peer, of one pair, of another row of our own, or
 * with a number. A goal is a bar that may be missed.
 */
import type { RowName } from './row.ts';

/** What is divided by. `best`: the best of the peers; `any`: the best of the peers and rivals; a value: in the unit. */
export type Against =
  | 'best'
  | 'any'
  | { readonly pair: string }
  | { readonly row: RowName }
  | { readonly value: 1; readonly unit: string };

export interface Bar {
  readonly row: RowName;
  /** The variant that it is about; default: every build of Adit that is none. */
  readonly of?: string;
  readonly against: Against;
  /** The ratio must be so large at least, or so small at most. */
  readonly bound: 'at least' | 'at most';
  /** What must be; without it there is only a goal. */
  readonly bar?: number;
  /** What may be missed. */
  readonly goal?: number;
}

type Limits = Pick<Bar, 'bar' | 'goal' | 'of'>;

const atLeast = (row: RowName, against: Against, limits: Limits): Bar => ({
  row,
  against,
  bound: 'at least',
  ...limits,
});
const atMost = (row: RowName, against: Against, limits: Limits): Bar => ({ row, against, bound: 'at most', ...limits });
const pair = (name: string): Against => ({ pair: name });
const amount = (unit: string): Against => ({ value: 1, unit });
const ways = ['up', 'down'] as const;

export const barList: readonly Bar[] = [
  ...ways.flatMap((way) => [
    atLeast(`bulk-${way}`, 'best', { bar: 1.1 }),
    atLeast(`bulk-${way}`, pair('wstunnel'), { bar: 0.8, goal: 1 }),
    atMost(`bulk-${way}-cpu`, 'best', { bar: 1 }),
    atMost(`bulk-${way}-cpu`, pair('wstunnel'), { goal: 1 }),
    atLeast(`bulk8-${way}`, 'best', { bar: 1.1 }),
    atLeast(`bulk-${way}`, pair('adit'), { of: 'adit-wss', bar: 0.8, goal: 0.9 }),
    atLeast(`bulk-${way}`, pair('adit'), { of: 'adit-connect-h2', bar: 0.7, goal: 0.9 }),
    atLeast(`bulk-${way}`, pair('adit-no-replay'), { bar: 0.94, goal: 0.97 }),
  ]),
  atLeast('http', 'any', { bar: 1.2, goal: 1.5 }),
  atMost('http-p99', 'any', { bar: 0.5 }),
  atLeast('rate', 'best', { bar: 4 }),
  atLeast('rate', pair('chisel'), { bar: 1.3 }),
  atMost('setup', pair('chisel'), { bar: 1, goal: 0.8 }),
  atMost('idle', 'best', { bar: 0.7, goal: 0.5 }),
  atMost('idle10k', 'best', { bar: 0.7, goal: 0.5 }),
  atMost('churn', amount('times'), { bar: 1.5, goal: 1.2 }),
  atMost('start-egress', amount('s'), { bar: 0.3, goal: 0.15 }),
  atMost('start-connect', amount('s'), { bar: 0.2, goal: 0.15 }),
  ...(['egress', 'ingress'] as const).flatMap((half) => [
    atMost(`rest-${half}-rss`, amount('MB'), { bar: 70, goal: 62 }),
    atMost(`rest-${half}-anon`, amount('MB'), { bar: 25, goal: 18 }),
  ]),
  ...(['up1', 'up4', 'down1', 'down4'] as const).map((kind) =>
    atLeast(`lossy-${kind}`, pair('direct'), { bar: 0.97, goal: 1 }),
  ),
  ...(['up4', 'down4'] as const).flatMap((kind) => [
    atLeast(`lossy-cubic-${kind}`, pair('direct'), { bar: 1 }),
    atLeast(`lossy-cubic-${kind}`, pair('direct'), { of: 'adit-bbr', goal: 5 }),
  ]),
  ...(['lossy', 'lossy-cubic', 'clean-cubic', 'clean-bbr'] as const).flatMap((link) =>
    ways.flatMap((way) => [
      atMost(`${link}-ping-${way}`, pair('ghostunnel'), { bar: 1.1 }),
      atMost(`${link}-ping-${way}`, { row: `${link}-ping` }, { goal: 1.05 }),
    ]),
  ),
  ...(['clean-cubic', 'clean-bbr'] as const).flatMap((link) => [
    ...ways.map((way) => atMost(`${link}-first-${way}`, { row: `${link}-first` }, { bar: 1.3, goal: 1.1 })),
    atMost(`${link}-first`, pair('ghostunnel'), { bar: 0.36 }),
    atMost(`${link}-first`, pair('direct'), { bar: 1 }),
  ]),
];
