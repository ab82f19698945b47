import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { draws, Way } from './way.ts';

const calm = { delayMs: 20, lossPercent: 0, megabitsPerSecond: 100, seed: 1 };
const packet = (number: number, bytes = 1000): Uint8Array => {
  const made = new Uint8Array(bytes);
  new DataView(made.buffer).setUint32(0, number);
  return made;
};
const numberOf = (bytes: Uint8Array): number => new DataView(bytes.buffer).getUint32(0);

/** Everything that is due at a time. */
function arriving(way: Way, nowMs: number): number[] {
  const numbers: number[] = [];
  for (let next = way.take(nowMs); next !== undefined; next = way.take(nowMs)) numbers.push(numberOf(next));
  return numbers;
}

describe('one way of a link', () => {
  test('delivers a packet after its delay and the time that the rate takes for it, and not before', () => {
    const way = new Way({ ...calm, megabitsPerSecond: 8 }); // a byte takes a microsecond
    way.offer(packet(1), 5);
    expect(way.dueMs).toBe(26);
    expect(arriving(way, 25.99)).toEqual([]);
    expect(arriving(way, 26)).toEqual([1]);
    expect(way.dueMs).toBeUndefined();
  });
  test('lets packets wait for one another', () => {
    const way = new Way({ ...calm, megabitsPerSecond: 8 });
    for (let number = 0; number < 5; number++) way.offer(packet(number), 0);
    expect(arriving(way, 23)).toEqual([0, 1, 2]);
    expect(way.dueMs).toBe(24);
  });
  test('drops what would wait for more than 100 ms', () => {
    const way = new Way({ ...calm, megabitsPerSecond: 8 });
    for (let number = 0; number < 150; number++) way.offer(packet(number), 0);
    expect(way.counts).toMatchObject({ overflowed: 49, lost: 0 });
    expect(arriving(way, 1000)).toHaveLength(101);
  });
  test('loses as many as it should, within four standard deviations, whatever the seed', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 31), fc.constantFrom(0.1, 0.5, 5, 50), (seed, lossPercent) => {
        const way = new Way({ ...calm, lossPercent, megabitsPerSecond: 1e9, seed });
        const [count, chance] = [20_000, lossPercent / 100];
        for (let number = 0; number < count; number++) way.offer(packet(number, 40), 0);
        const deviation = Math.sqrt(count * chance * (1 - chance));
        expect(Math.abs(way.counts.lost - count * chance)).toBeLessThan(4.5 * deviation);
      }),
      { numRuns: 20, seed: 1 },
    );
  });
  test('keeps the order and accounts for every packet, whatever changes on the way', () => {
    const steps = fc.array(
      fc.record({ gapMs: fc.nat(30), bytes: fc.integer({ min: 40, max: 1500 }), delayMs: fc.nat(60) }),
      { maxLength: 200 },
    );
    fc.assert(
      fc.property(steps, fc.nat(2 ** 31), (list, seed) => {
        const way = new Way({ ...calm, lossPercent: 10, megabitsPerSecond: 0.5, seed });
        const arrived: number[] = [];
        let nowMs = 0;
        for (const [number, { gapMs, bytes, delayMs }] of list.entries()) {
          nowMs += gapMs;
          way.delayMs = delayMs;
          way.offer(packet(number, bytes), nowMs);
          arrived.push(...arriving(way, nowMs));
        }
        arrived.push(...arriving(way, Infinity));
        expect(arrived).toEqual(arrived.toSorted((a, b) => a - b));
        expect(arrived.length + way.counts.lost + way.counts.overflowed).toBe(list.length);
      }),
    );
  });
  test('that is cut loses what is on its way, and what comes until it is back', () => {
    const way = new Way(calm);
    way.offer(packet(1), 0);
    way.down = true;
    way.cut();
    way.offer(packet(2), 1);
    way.down = false;
    way.offer(packet(3), 2);
    expect(arriving(way, 1000)).toEqual([3]);
    expect(way.counts.lost).toBe(2);
  });
  test('counts what the interface at its end accepted', () => {
    const way = new Way(calm);
    way.delivered(1000, true);
    way.delivered(40, false);
    expect(way.counts).toEqual({ packets: 1, bytes: 1000, lost: 0, overflowed: 0, unreachable: 1 });
  });
});

test('the same seed draws the same numbers, evenly from 0 to 1', () => {
  const [one, same, other] = [draws(7), draws(7), draws(8)];
  const numbers = Array.from({ length: 10_000 }, one);
  expect(Array.from({ length: 10_000 }, same)).toEqual(numbers);
  expect(Array.from({ length: 10_000 }, other)).not.toEqual(numbers);
  for (let tenth = 0; tenth < 10; tenth++)
    expect(numbers.filter((value) => Math.floor(value * 10) === tenth).length).toBeGreaterThan(850);
});
