import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { maxWindowBytes, ReceiveWindow } from './window.ts';

test('credit is granted when half of the window was accepted, not when it merely arrived', () => {
  const window = new ReceiveWindow(1_000);
  expect(window.receive(1_000)).toBe(true);
  expect(window.receive(1)).toBe(false);
  expect(window.accept(499, { nowMs: 100, srttMs: 0, mayGrow: Infinity })).toBe(0);
  expect(window.accept(500, { nowMs: 100, srttMs: 0, mayGrow: Infinity })).toBe(500);
});

test('the window doubles while half of it goes within one round trip, and stays when the destination is slow', () => {
  const window = new ReceiveWindow(1_000);
  window.receive(1_000);
  expect(window.accept(600, { nowMs: 10, srttMs: 50, mayGrow: Infinity })).toBe(600 + 1_000);
  expect(window.accept(1_000, { nowMs: 1_000, srttMs: 50, mayGrow: Infinity })).toBe(0);
  window.receive(1_000);
  expect(window.accept(2_000, { nowMs: 2_000, srttMs: 50, mayGrow: Infinity })).toBe(1_400);
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
