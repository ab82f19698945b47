/** The rows of the tables: what is measured, in which unit, and which direction is better. */
import type { LinkTestName, TestName } from '../options.ts';

export interface Row {
  readonly test: TestName;
  readonly title: string;
  readonly unit: string;
  readonly better: 'more' | 'less';
}

/** What a link test can measure. Up is from client to service. */
const linkKinds = {
  up1: ['bulk up', 'Mbit/s', 'more'],
  up4: ['bulk up, 4 streams', 'Mbit/s', 'more'],
  down1: ['bulk down', 'Mbit/s', 'more'],
  down4: ['bulk down, 4 streams', 'Mbit/s', 'more'],
  ping: ['ping, p50', 'ms', 'less'],
  'ping-up': ['ping beside bulk up, p50', 'ms', 'less'],
  'ping-down': ['ping beside bulk down, p50', 'ms', 'less'],
  first: ['connect to first byte, p50', 'ms', 'less'],
  'first-up': ['connect to first byte beside bulk up, p50', 'ms', 'less'],
  'first-down': ['connect to first byte beside bulk down, p50', 'ms', 'less'],
} as const satisfies Readonly<Record<string, readonly [string, string, Row['better']]>>;
export type LinkKind = keyof typeof linkKinds;

/** How the links are called in the tables. */
export const linkTitles: Readonly<Record<LinkTestName, string>> = {
  lossy: '100 Mbit/s, 60 ms, 0.5% loss, BBR',
  'lossy-cubic': '100 Mbit/s, 60 ms, 0.1% loss, cubic',
  'clean-cubic': '50 Mbit/s, 40 ms, cubic',
  'clean-bbr': '50 Mbit/s, 40 ms, BBR',
};

function rowsOf<T extends LinkTestName, K extends LinkKind>(
  test: T,
  kinds: readonly K[],
): { readonly [N in `${T}-${K}`]: Row } {
  const made = kinds.map((kind): [string, Row] => {
    const [title, unit, better] = linkKinds[kind];
    return [`${test}-${kind}`, { test, title: `${linkTitles[test]}: ${title}`, unit, better }];
  });
  return Object.fromEntries(made) as { readonly [N in `${T}-${K}`]: Row };
}

const pings = ['ping', 'ping-up', 'ping-down'] as const;
const firsts = ['first', 'first-up', 'first-down'] as const;

function bulkRows<T extends 'bulk' | 'bulk8'>(
  test: T,
  title: string,
): { readonly [N in `${T}-${'up' | 'down'}${'' | '-cpu'}`]: Row } {
  const made = (['up', 'down'] as const).flatMap((way): [string, Row][] => [
    [`${test}-${way}`, { test, title: `${title} ${way}`, unit: 'Gbit/s', better: 'more' }],
    [`${test}-${way}-cpu`, { test, title: `${title} ${way}, CPU of the pair`, unit: 's/GB', better: 'less' }],
  ]);
  return Object.fromEntries(made) as { readonly [N in `${T}-${'up' | 'down'}${'' | '-cpu'}`]: Row };
}

export const rows = {
  ...bulkRows('bulk', 'bulk'),
  ...bulkRows('bulk8', 'bulk, 8 streams,'),
  http: { test: 'http', title: 'HTTP keep-alive, 64 connections', unit: 'requests/s', better: 'more' },
  'http-p50': { test: 'http', title: 'HTTP keep-alive, p50', unit: 'ms', better: 'less' },
  'http-p99': { test: 'http', title: 'HTTP keep-alive, p99', unit: 'ms', better: 'less' },
  'http-cpu': { test: 'http', title: 'HTTP keep-alive, CPU of the pair', unit: 'µs/request', better: 'less' },
  rate: { test: 'rate', title: 'a connection per request, 64 at once', unit: 'connections/s', better: 'more' },
  'rate-cpu': {
    test: 'rate',
    title: 'a connection per request, CPU of the pair',
    unit: 'µs/connection',
    better: 'less',
  },
  setup: { test: 'setup', title: 'connect to first byte, p50', unit: 'ms', better: 'less' },
  'setup-p99': { test: 'setup', title: 'connect to first byte, p99', unit: 'ms', better: 'less' },
  idle: { test: 'idle', title: 'memory per idle connection, of 1,000', unit: 'KiB', better: 'less' },
  'idle-base': { test: 'idle', title: 'memory of the pair without connections', unit: 'MiB', better: 'less' },
  idle10k: { test: 'idle10k', title: 'memory per idle connection, of 9,900', unit: 'KiB', better: 'less' },
  'churn-before': { test: 'churn', title: 'resident memory of the pair at its start', unit: 'MiB', better: 'less' },
  'churn-after': {
    test: 'churn',
    title: 'resident memory of the pair a minute after 90,000 short connections',
    unit: 'MiB',
    better: 'less',
  },
  churn: { test: 'churn', title: 'the same, times that at its start', unit: 'times', better: 'less' },
  'start-egress': { test: 'start', title: 'start of `adit egress` to `listening`', unit: 's', better: 'less' },
  'start-connect': {
    test: 'start',
    title: 'start of `adit connect`, through a running ingress, to its first byte',
    unit: 's',
    better: 'less',
  },
  'start-node': { test: 'start', title: 'start of Node alone, to its end', unit: 's', better: 'less' },
  ...restRows('egress'),
  ...restRows('ingress'),
  ...rowsOf('lossy', ['up1', 'up4', 'down1', 'down4', ...pings]),
  ...rowsOf('lossy-cubic', ['up4', 'down4', ...pings]),
  ...rowsOf('clean-cubic', ['up1', 'down1', ...pings, ...firsts]),
  ...rowsOf('clean-bbr', ['up1', 'down1', ...pings, ...firsts]),
  'mux-bulk': { test: 'mux', title: 'mux, reads of 64 KiB', unit: 'GB per CPU second', better: 'more' },
  'mux-bulk-heap': { test: 'mux', title: 'mux, reads of 64 KiB, allocated', unit: 'KiB per MB', better: 'less' },
  'mux-small': { test: 'mux', title: 'mux, 64 streams of 100 bytes', unit: 'frames per CPU second', better: 'more' },
  'mux-small-heap': { test: 'mux', title: 'mux, 64 streams, allocated', unit: 'bytes per frame', better: 'less' },
  'mux-open': { test: 'mux', title: 'mux, streams of one answer', unit: 'streams per CPU second', better: 'more' },
  'mux-open-heap': { test: 'mux', title: 'mux, streams of one answer, allocated', unit: 'KiB', better: 'less' },
} as const satisfies Readonly<Record<string, Row>>;

function restRows<H extends 'egress' | 'ingress'>(
  half: H,
): { readonly [N in `rest-${H}-${'rss' | 'pss' | 'anon'}`]: Row } {
  const kinds = { rss: 'resident', pss: 'proportional', anon: 'anonymous' } as const;
  const made = Object.entries(kinds).map(([kind, name]): [string, Row] => [
    `rest-${half}-${kind}`,
    { test: 'rest', title: `memory of the ${half} at rest, ${name}`, unit: 'MB', better: 'less' },
  ]);
  return Object.fromEntries(made) as { readonly [N in `rest-${H}-${'rss' | 'pss' | 'anon'}`]: Row };
}

export type RowName = keyof typeof rows;
/** In the order of the tables. */
export const rowNames = Object.keys(rows) as readonly RowName[];

/** A row by name, in its general type. */
export function row(name: RowName): Row {
  return rows[name];
}
