import { expect, test } from '@jest/globals';
import type { Tally } from './tally.ts';
import { complaints, maxGrowthBytes, quantile, type Soak } from './verdict.ts';

const tally = (more: Partial<Tally> = {}): Tally => ({
  kind: 'request',
  done: 10,
  failed: 0,
  failures: [],
  latenciesMs: [],
  ...more,
});
const held = { bytes: 2 ** 27, descriptors: 20 };
const soak = (more: Partial<Soak> = {}): Soak => ({
  honest: [tally({ latenciesMs: [1, 2, 3] })],
  attacks: [tally({ kind: 'garbage', failed: 3 })],
  processes: { egress: { before: held, after: { bytes: held.bytes + maxGrowthBytes, descriptors: 20 } } },
  ...more,
});

test('a soak in which nobody but the attackers noticed anything holds', () => {
  expect(complaints(soak())).toEqual([]);
});

test.each<[string, Partial<Soak>, string]>([
  [
    'an honest client that failed once',
    { honest: [tally({ failed: 1, failures: ['reset'] })] },
    'request: 1 failed (reset)',
  ],
  ['a client that did nothing', { honest: [tally({ done: 0 })] }, 'request: not once carried out'],
  ['an attack that was not tried', { attacks: [tally({ kind: 'garbage', done: 0 })] }, 'garbage: not once carried out'],
  [
    'echoes that are slow',
    { honest: [tally({ latenciesMs: [5, 5_000, 5_000] })] },
    'request: median 5000.0 ms of at most 100, p95 5000 of 1000',
  ],
  [
    'a few echoes that are very slow',
    { honest: [tally({ latenciesMs: [5, 5, 5, 5, 5_000] })] },
    'request: median 5.0 ms of at most 100, p95 5000 of 1000',
  ],
  [
    'memory that grew',
    { processes: { egress: { before: held, after: { ...held, bytes: held.bytes + 2 * maxGrowthBytes } } } },
    'egress: grown by 96 MiB, at most 48',
  ],
  [
    'a descriptor that is left',
    { processes: { egress: { before: held, after: { ...held, descriptors: 21 } } } },
    'egress: 21 descriptors open, 20 before',
  ],
  [
    'a process that has gone',
    { processes: { egress: { before: held, after: undefined } } },
    'egress: it did not live to the end',
  ],
])('%s fails it', (_what, more, complaint) => {
  expect(complaints(soak(more))).toEqual([complaint]);
});

test('a quantile of nothing is no number', () => {
  expect([quantile([], 0.5), quantile([3, 1, 2], 0.5), quantile([3, 1, 2], 1)]).toEqual([Number.NaN, 2, 3]);
});
