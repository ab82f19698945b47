import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { leastConnections } from './least-connections.ts';
import { RoundRobin, type Weighted } from './round-robin.ts';

const weights = fc
  .array(fc.integer({ min: 1, max: 16 }), { minLength: 1, maxLength: 6 })
  .map((list): Weighted[] => list.map((weight, at) => ({ name: `b${at}`, weight })));

describe('least connections', () => {
  it('keeps open connections in proportion to the weights', () => {
    fc.assert(
      fc.property(weights, fc.integer({ min: 1, max: 300 }), (candidates, count) => {
        const open = new Map<string, number>();
        const ties = new RoundRobin();
        const of = ({ name }: Weighted): number => open.get(name) ?? 0;
        for (let at = 0; at < count; at++) {
          const { name } = leastConnections(candidates, of, ties)!;
          open.set(name, (open.get(name) ?? 0) + 1);
        }
        const total = candidates.reduce((sum, { weight }) => sum + weight, 0);
        for (const candidate of candidates)
          expect(Math.abs(of(candidate) - (count * candidate.weight) / total)).toBeLessThanOrEqual(candidates.length);
      }),
    );
  });

  it('never picks a candidate with more connections for its weight than another', () => {
    fc.assert(
      fc.property(
        weights.chain((candidates) =>
          fc.tuple(
            fc.constant(candidates),
            fc.array(fc.nat(50), { minLength: candidates.length, maxLength: candidates.length }),
          ),
        ),
        ([candidates, open]) => {
          const load = (one: Weighted): number => (open[candidates.indexOf(one)]! + 1) / one.weight;
          const picked = leastConnections(candidates, (one) => open[candidates.indexOf(one)]!, new RoundRobin())!;
          for (const other of candidates) expect(load(picked)).toBeLessThanOrEqual(load(other));
        },
      ),
    );
  });

  it('lets candidates with equal load take turns', () => {
    const ties = new RoundRobin();
    const three = ['a', 'b', 'c'].map((name) => ({ name, weight: 1 }));
    expect(Array.from({ length: 6 }, () => leastConnections(three, () => 0, ties)!.name).join('')).toBe('abcabc');
    expect(leastConnections([], () => 0, ties)).toBeUndefined();
  });
});
