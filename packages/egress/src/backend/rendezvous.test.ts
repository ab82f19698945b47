import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { rendezvous } from './rendezvous.ts';
import type { Weighted } from './round-robin.ts';

const candidates = fc.uniqueArray(
  fc.record({ name: fc.string({ minLength: 1, maxLength: 12 }), weight: fc.integer({ min: 1, max: 9 }) }),
  { minLength: 2, maxLength: 8, selector: ({ name }) => name },
);
const named = (...weights: readonly number[]): Weighted[] =>
  weights.map((weight, at) => ({ name: `tcp://10.0.0.${at}:80`, weight }));
const keys = Array.from({ length: 20_000 }, (_, at) => `192.0.${at >> 8}.${at & 0xff}`);

describe('rendezvous hashing', () => {
  it('gives a key the same order every time, however the candidates are listed', () => {
    fc.assert(
      fc.property(candidates, fc.string(), (list, key) => {
        const order = rendezvous(list, key);
        expect(rendezvous([...list].reverse(), key)).toEqual(order);
        expect([...order].sort((a, b) => (a.name < b.name ? -1 : 1))).toEqual(
          [...list].sort((a, b) => (a.name < b.name ? -1 : 1)),
        );
      }),
    );
  });

  it('moves only the keys of a candidate that leaves, each to its next preference', () => {
    fc.assert(
      fc.property(candidates, fc.string(), fc.nat(), (list, key, at) => {
        const gone = list[at % list.length]!;
        expect(
          rendezvous(
            list.filter((one) => one !== gone),
            key,
          ),
        ).toEqual(rendezvous(list, key).filter((one) => one !== gone));
      }),
    );
  });

  it.each([[named(1, 1, 1)], [named(1, 3)], [named(5, 2, 1, 8)]])('shares keys by weight: %j', (list) => {
    const counts = new Map<string, number>();
    for (const key of keys) {
      const [first] = rendezvous(list, key);
      counts.set(first!.name, (counts.get(first!.name) ?? 0) + 1);
    }
    const total = list.reduce((sum, { weight }) => sum + weight, 0);
    for (const { name, weight } of list)
      expect(Math.abs((counts.get(name) ?? 0) / keys.length - weight / total)).toBeLessThan(0.02);
  });

  it('agrees with every other egress and version: this is the order', () => {
    expect(rendezvous(named(1, 1, 1, 1), 'spiffe://example.org/client/alice').map(({ name }) => name)).toEqual([
      'tcp://10.0.0.1:80',
      'tcp://10.0.0.3:80',
      'tcp://10.0.0.2:80',
      'tcp://10.0.0.0:80',
    ]);
  });
});
