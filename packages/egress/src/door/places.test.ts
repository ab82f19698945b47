import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Holder, Places, silentAfterMs, smallestShare } from './places.ts';

interface Guest extends Holder {
  source: string;
  spoke: boolean;
}

const guest = (source: string, sinceMs = 0, spoke = true): Guest => ({ source, sinceMs, spoke });

/** Places that guests took one after the other. */
function taken(max: number, guests: readonly Guest[]): Places<Guest> {
  const places = new Places<Guest>(max);
  for (const each of guests) expect(places.take(each, each.sinceMs)).toBeUndefined();
  return places;
}

test('while there are places one source may hold all of them', () => {
  const places = taken(
    8,
    Array.from({ length: 8 }, () => guest('a')),
  );
  expect([places.size, places.held('a')]).toEqual([8, 8]);
});

test('when all are taken the oldest of the busiest source makes room for a newcomer', () => {
  const honest = guest('b');
  const crowd = Array.from({ length: 7 }, (_, at) => guest('a', at));
  const places = taken(8, [honest, ...crowd]);
  expect(places.take(guest('c', 10), 10)).toBe(crowd[0]);
  expect(places.take(guest('a', 11), 11)).toBe(crowd[1]);
  expect([places.held('a'), places.held('b'), places.held('c')]).toEqual([6, 1, 1]);
});

test('of the busiest source one that has been silent for long goes first, however young', () => {
  const crowd = Array.from({ length: 8 }, (_, at) => guest('a', at, at !== 6));
  const places = taken(8, crowd);
  expect(places.take(guest('b', 100), 6 + silentAfterMs - 1)).toBe(crowd[0]);
  expect(places.take(guest('b', 100), 6 + silentAfterMs)).toBe(crowd[6]);
});

test('where no source holds more than its share, the one that has been silent longest goes, else the oldest', () => {
  const crowd = Array.from({ length: 8 }, (_, at) => guest(`source ${at % 4}`, at, at !== 5));
  const places = taken(8, crowd);
  expect(places.take(guest('b', 1_000), 1_000)).toBe(crowd[5]);
  expect(places.take(guest('c', 1_001), 1_001)).toBe(crowd[0]);
});

test('a holder whose source has changed counts there, and one that left counts nowhere', () => {
  const [first, second] = [guest('load balancer 1'), guest('load balancer 2')];
  const places = taken(8, [first, second]);
  first.source = second.source = 'client';
  places.recount(first);
  places.recount(second);
  expect([places.held('load balancer 1'), places.held('client')]).toEqual([0, 2]);
  places.leave(first);
  places.leave(first);
  places.recount(first);
  expect([places.size, places.held('client')]).toEqual([1, 1]);
});

/** What may happen: somebody comes, speaks, is told apart by a header, or is done. */
const step = fc.record({
  kind: fc.constantFrom('comes', 'comes', 'comes', 'speaks', 'is named', 'leaves'),
  source: fc.nat(5).map((n) => `source ${n}`),
  which: fc.nat(1_000),
  afterMs: fc.nat(200),
});

test('never more than the places; a newcomer always gets one, and never from a source within its share', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 24 }), fc.array(step, { maxLength: 150 }), (max, steps) => {
      const places = new Places<Guest>(max);
      const inside = new Set<Guest>();
      let nowMs = 0;
      for (const { kind, source, which, afterMs } of steps) {
        nowMs += afterMs;
        const one = [...inside][which % Math.max(1, inside.size)];
        if (kind === 'comes') {
          const newcomer = guest(source, nowMs, false);
          const held = countBy([...inside, newcomer]);
          const displaced = places.take(newcomer, nowMs);
          expect(displaced === undefined).toBe(inside.size < max);
          if (displaced) {
            expect(inside.delete(displaced)).toBe(true); // has a place, and has not left
            const share = Math.max(smallestShare, Math.floor(max / held.size));
            const most = Math.max(...held.values());
            if (most > share) expect(held.get(displaced.source)).toBe(most);
          }
          inside.add(newcomer);
        } else if (one && kind === 'speaks') one.spoke = true;
        else if (one && kind === 'is named') {
          one.source = source;
          places.recount(one);
        } else if (one && kind === 'leaves') {
          places.leave(one);
          inside.delete(one);
        }
        expect(places.size).toBe(inside.size);
        expect(places.size).toBeLessThanOrEqual(max);
        for (const [name, count] of countBy([...inside])) expect(places.held(name)).toBe(count);
      }
    }),
  );
});

function countBy(guests: readonly Guest[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { source } of guests) counts.set(source, (counts.get(source) ?? 0) + 1);
  return counts;
}
