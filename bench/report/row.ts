/**
 * The rows of the table: what is measured, in which unit, which direction is better, and the bar against the best peer.
 */
import type { TestName } from '../options.ts';

/** `atLeast` or `atMost` this many times the best peer. */
export type Bar = { readonly atLeast: number } | { readonly atMost: number };
export interface Row {
  readonly test: TestName;
  readonly title: string;
  readonly unit: string;
  readonly better: 'more' | 'less';
  readonly bar?: Bar;
}

export const rows = {
  'bulk-up': { test: 'bulk', title: 'bulk up', unit: 'Gbit/s', better: 'more', bar: { atLeast: 0.9 } },
  'bulk-up-cpu': { test: 'bulk', title: 'bulk up, CPU of the pair', unit: 's/GB', better: 'less' },
  'bulk-down': { test: 'bulk', title: 'bulk down', unit: 'Gbit/s', better: 'more', bar: { atLeast: 0.9 } },
  'bulk-down-cpu': { test: 'bulk', title: 'bulk down, CPU of the pair', unit: 's/GB', better: 'less' },
  http: { test: 'http', title: 'HTTP keep-alive, 64 connections', unit: 'requests/s', better: 'more' },
  'http-p50': { test: 'http', title: 'HTTP keep-alive, p50', unit: 'ms', better: 'less' },
  'http-p99': { test: 'http', title: 'HTTP keep-alive, p99', unit: 'ms', better: 'less' },
  'http-cpu': { test: 'http', title: 'HTTP keep-alive, CPU of the pair', unit: 'µs/request', better: 'less' },
  rate: {
    test: 'rate',
    title: 'a connection per request, 64 at once',
    unit: 'connections/s',
    better: 'more',
    bar: { atLeast: 2 },
  },
  'rate-cpu': {
    test: 'rate',
    title: 'a connection per request, CPU of the pair',
    unit: 'µs/connection',
    better: 'less',
  },
  setup: { test: 'setup', title: 'connect to first byte, p50', unit: 'ms', better: 'less', bar: { atMost: 0.5 } },
  'setup-p99': { test: 'setup', title: 'connect to first byte, p99', unit: 'ms', better: 'less' },
  idle: { test: 'idle', title: 'memory per idle connection', unit: 'KiB', better: 'less', bar: { atMost: 1.2 } },
  'idle-base': { test: 'idle', title: 'memory of the pair without connections', unit: 'MiB', better: 'less' },
} as const satisfies Readonly<Record<string, Row>>;

export type RowName = keyof typeof rows;
/** In the order of the table. */
export const rowNames = Object.keys(rows) as readonly RowName[];

/** A row by name, in its general type. */
export function row(name: RowName): Row {
  return rows[name];
}
