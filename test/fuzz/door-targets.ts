/** Targets at the door of the egress: who keeps a place when strangers come and go. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Holder, Places, smallestShare } from '../../packages/egress/src/door/places.ts';
import type { Target } from './input.ts';

/** A connection comes after some time, with or without a first byte; one leaves; one turns out to be of a source. */
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ source: fc.nat(7), spoke: fc.boolean(), afterMs: fc.nat(300) }) },
  { weight: 1, arbitrary: fc.record({ leaves: fc.nat(40) }) },
  { weight: 1, arbitrary: fc.record({ moves: fc.nat(40), to: fc.nat(7) }) },
);

export const doorTargets: readonly Target[] = [
  {
    name: 'places',
    share: 0.3,
    property: () =>
      fc.property(fc.integer({ min: 1, max: 24 }), fc.array(step, { maxLength: 80 }), (max, steps) => {
        const places = new Places<Holder & { source: string }>(max);
        const inside = new Set<Holder & { source: string }>();
        let nowMs = 0;
        for (const one of steps) {
          const nth = (n: number) => [...inside][n % Math.max(1, inside.size)];
          if ('source' in one) {
            nowMs += one.afterMs;
            const newcomer = { source: `s${one.source}`, spoke: one.spoke, sinceMs: nowMs };
            const before = new Map([...inside, newcomer].map(({ source }) => [source, places.held(source)]));
            const displaced = places.take(newcomer, nowMs);
            assert.equal(
              displaced !== undefined,
              inside.size === max,
              'a place is given up if and only if none is free',
            );
            inside.add(newcomer);
            if (displaced) {
              assert(inside.delete(displaced) && displaced !== newcomer, 'whoever gives up a place has one');
              withinShare(before, { max, displaced, newcomer });
            }
          } else if ('leaves' in one) {
            const leaver = nth(one.leaves);
            if (leaver) places.leave(leaver);
            if (leaver) inside.delete(leaver);
          } else {
            const mover = nth(one.moves);
            if (mover) mover.source = `s${one.to}`;
            if (mover) places.recount(mover);
          }
          assert.equal(places.size, inside.size);
          for (let n = 0; n < 8; n++)
            assert.equal(places.held(`s${n}`), [...inside].filter(({ source }) => source === `s${n}`).length);
        }
      }),
  },
];

/** Nobody loses a place within its share while another source has more than its own. */
function withinShare(
  held: ReadonlyMap<string, number>,
  { max, displaced, newcomer }: { readonly max: number; readonly displaced: Holder; readonly newcomer: Holder },
): void {
  const counts = new Map(held);
  counts.set(newcomer.source, counts.get(newcomer.source)! + 1);
  const share = Math.max(smallestShare, Math.floor(max / counts.size));
  const most = Math.max(...counts.values());
  if (most > share) assert.equal(counts.get(displaced.source), most, 'the busiest source gives up a place');
}
