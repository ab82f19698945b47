import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { Deadline } from './deadline.ts';

test('what is left shrinks, and the total stays', async () => {
  const deadline = new Deadline(10_000);
  const before = deadline.leftMs;
  expect(before).toBeLessThanOrEqual(10_000);
  expect(before).toBeGreaterThan(9_000);
  await delay(20);
  expect(deadline.leftMs).toBeLessThan(before);
  expect(deadline.totalMs).toBe(10_000);
});

test.each([0, -5, 0.2])('a deadline of %d ms leaves 1 ms, never 0', (ms) => {
  expect(new Deadline(ms).leftMs).toBe(1);
});

test('what is left is a whole number of milliseconds', () => {
  expect(Number.isInteger(new Deadline(1_234.5).leftMs)).toBe(true);
});

test('it has passed once its time is over', () => {
  expect([new Deadline(10_000).passed, new Deadline(0).passed]).toEqual([false, true]);
});

test('steps get equal shares of what is left', () => {
  const share = new Deadline(9_000).share(3);
  expect(share.totalMs).toBeLessThanOrEqual(3_000);
  expect(share.totalMs).toBeGreaterThan(2_500);
  expect(new Deadline(0).share(3).totalMs).toBe(1);
});
