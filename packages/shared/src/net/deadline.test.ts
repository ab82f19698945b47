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
