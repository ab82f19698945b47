import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RoundRobin, type Weighted } from './round-robin.ts';

const weights = fc
  .array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 8 })
  .map((list): Weighted[] => list.map((weight, at) => ({ name: `b${at}`, weight })));
const picks = (turns: RoundRobin, candidates: readonly Weighted[], count: number): string[] =>
  Array.from({ length: count }, () => turns.next(candidates)!.name);
const countOf = (names: readonly string[], name: string): number => names.filter((one) => one === name).length;

describe('round-robin', () => {
  it('spreads the turns of a candidate with a high weight', () => {
    expect(
      picks(
        new RoundRobin(),
        [
          { name: 'a', weight: 5 },
          { name: 'b', weight: 1 },
          { name: 'c', weight: 1 },
        ],
        7,
      ).join(''),
    ).toBe('aabacaa');
  });

  it('gives each exactly its weight in every full round, and never two rounds worth of turns in a row', () => {
    fc.assert(
      fc.property(weights, fc.integer({ min: 1, max: 4 }), (candidates, rounds) => {
        const total = candidates.reduce((sum, { weight }) => sum + weight, 0);
        const turns = new RoundRobin();
        for (let round = 0; round < rounds; round++) {
          const names = picks(turns, candidates, total);
          for (const { name, weight } of candidates) expect(countOf(names, name)).toBe(weight);
        }
      }),
    );
  });

  it('stays within one turn of the fair share at every moment', () => {
    fc.assert(
      fc.property(weights, fc.integer({ min: 1, max: 200 }), (candidates, count) => {
        const total = candidates.reduce((sum, { weight }) => sum + weight, 0);
        const names = picks(new RoundRobin(), candidates, count);
        for (const { name, weight } of candidates)
          expect(Math.abs(countOf(names, name) - (count * weight) / total)).toBeLessThan(candidates.length);
      }),
    );
  });

  it('shares the turns of a candidate that is away among the others, and gives it no more when it is back', () => {
    fc.assert(
      fc.property(
        weights.filter((list) => list.length > 1),
        fc.integer({ min: 1, max: 100 }),
        (candidates, away) => {
          const turns = new RoundRobin();
          const left = candidates.slice(1);
          expect(picks(turns, left, away)).not.toContain('b0');
          const total = candidates.reduce((sum, { weight }) => sum + weight, 0);
          expect(countOf(picks(turns, candidates, total), 'b0')).toBeLessThanOrEqual(candidates[0]!.weight + 1);
        },
      ),
    );
  });

  it('picks none of no candidates', () => {
    expect(new RoundRobin().next([])).toBeUndefined();
  });
});
