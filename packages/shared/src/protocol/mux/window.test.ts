import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readBytes } from './stream.ts';
import { defaultWindowBytes, maxWindowBytes, ReceiveWindow } from './window.ts';

test('credit is granted when half of the window was accepted, not when it merely arrived', () => {
  const window = new ReceiveWindow(1_000);
  expect(window.receive(1_000)).toBe(true);
  expect(window.receive(1)).toBe(false);
  expect(window.accept(499, { nowMs: 100, srttMs: 0, mayGrow: Infinity })).toBe(0);
  expect(window.accept(500, { nowMs: 100, srttMs: 0, mayGrow: Infinity })).toBe(500);
});

test('the window doubles while half of it goes within two round trips, and stays when the destination is slow', () => {
  const window = new ReceiveWindow(1_000);
  window.receive(1_000);
  expect(window.accept(600, { nowMs: 10, srttMs: 50, mayGrow: Infinity })).toBe(600 + 1_000);
  expect(window.accept(1_000, { nowMs: 1_000, srttMs: 50, mayGrow: Infinity })).toBe(0);
  window.receive(1_000);
  expect(window.accept(2_000, { nowMs: 2_000, srttMs: 50, mayGrow: Infinity })).toBe(1_400);
});

/**
 * A link of `rate` bytes per ms and a round trip of `rtt` ms: the source reads `read` bytes at a time, with credit for
 * a whole read, and the destination takes what arrives at once. Returns bytes per ms at the end.
 */
function throughput(rate: number, rtt: number, read: number): number {
  const window = new ReceiveWindow(defaultWindowBytes);
  let [credit, free, accepted, before] = [defaultWindowBytes, 0, 0, 0];
  const arrivals: number[] = [];
  const credits: [at: number, bytes: number][] = [];
  for (let now = 0; now < 4_000; now++) {
    while (credits.length > 0 && credits[0]![0] <= now) credit += credits.shift()![1];
    while (credit >= readBytes && free < now + 1) {
      credit -= read;
      free = Math.max(free, now) + read / rate;
      arrivals.push(free + rtt / 2);
    }
    while (arrivals.length > 0 && arrivals[0]! <= now) {
      arrivals.shift();
      window.receive(read);
      accepted += read;
      const granted = window.accept(accepted, { nowMs: now, srttMs: rtt, mayGrow: Infinity });
      if (granted > 0) credits.push([now + rtt / 2, granted]);
    }
    if (now === 3_000) before = accepted;
  }
  return (accepted - before) / 1_000;
}

test('a source that reads by the piece fills a link that holds more than the first window', () => {
  for (const [rate, rtt] of [
    [6_250, 40],
    [12_500, 60],
    [12_500, 200],
  ] as const)
    for (const read of [16_384, 40_000, 65_000, readBytes])
      expect([rate, rtt, read, throughput(rate, rtt, read) / rate]).toEqual([rate, rtt, read, expect.closeTo(1, 1)]);
});

test('granted minus accepted never exceeds the largest window, and a sender within its credit is never refused', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(262_144, 300_000, 1 << 22, maxWindowBytes),
      fc.array(fc.tuple(fc.nat(200_000), fc.nat(200_000), fc.nat(20)), { maxLength: 200 }),
      (initial, steps) => {
        const window = new ReceiveWindow(initial);
        let granted = initial;
        let now = 0;
        for (const [send, take, pause] of steps) {
          now += pause;
          expect(window.receive(Math.min(send, granted - window.received))).toBe(true);
          granted += window.accept(Math.min(window.received, window.accepted + take), {
            nowMs: now,
            srttMs: 10,
            mayGrow: Infinity,
          });
          expect(granted - window.accepted).toBeLessThanOrEqual(maxWindowBytes);
        }
      },
    ),
  );
});

test('grows by no more than it may, and says by how much', () => {
  const window = new ReceiveWindow(1_000);
  window.receive(1_000);
  window.accept(600, { nowMs: 1, srttMs: 50, mayGrow: 300 });
  expect(window.grown).toBe(300);
  window.accept(1_000, { nowMs: 2, srttMs: 50, mayGrow: 0 });
  expect(window.grown).toBe(300);
});
