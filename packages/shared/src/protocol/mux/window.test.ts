import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { maxWindowBytes, ReceiveWindow } from './window.ts';

test('credit is granted when half of the window was accepted, not when it merely arrived', () => {
  const window = new ReceiveWindow(1_000);
  expect(window.receive(1_000)).toBe(true);
  expect(window.receive(1)).toBe(false);
  expect(window.accept(499, 100, 0)).toBe(0);
  expect(window.accept(500, 100, 0)).toBe(500);
});

test('the window doubles while half of it goes within one round trip, and stays when the destination is slow', () => {
  const window = new ReceiveWindow(1_000);
  window.receive(1_000);
  expect(window.accept(600, 10, 50)).toBe(600 + 1_000);
  expect(window.accept(1_000, 1_000, 50)).toBe(0);
  window.receive(1_000);
  expect(window.accept(2_000, 2_000, 50)).toBe(1_400);
});

test('granted minus accepted never exceeds the largest window, and a sender within its credit is never refused', () => {
  fc.assert(fc.property(fc.constantFrom(262_144, 300_000, 1 << 22, maxWindowBytes), fc.array(fc.tuple(fc.nat(200_000), fc.nat(200_000), fc.nat(20)), { maxLength: 200 }), (initial, steps) => {
    const window = new ReceiveWindow(initial);
    let granted = initial;
    let now = 0;
    for (const [send, take, pause] of steps) {
      now += pause;
      expect(window.receive(Math.min(send, granted - window.received))).toBe(true);
      granted += window.accept(Math.min(window.received, window.accepted + take), now, 10);
      expect(granted - window.accepted).toBeLessThanOrEqual(maxWindowBytes);
    }
  }));
});
