import { expect, test } from '@jest/globals';
import { Meter } from './meter.ts';

/** What a stream is after moving so many bytes every 100 ms, for so long. */
function after(bytes: number, ms: number): boolean {
  const meter = new Meter(0);
  for (let nowMs = 0; nowMs < ms; nowMs += 100) meter.add(bytes, nowMs);
  return meter.isBulk(ms);
}

test('a page of 250 kB, an echo of keystrokes and a call of 0.4 Mbit/s are light', () => {
  expect([after(250_000, 100), after(100, 60_000), after(5_000, 60_000)]).toEqual([false, false, false]);
});

test('a transfer is bulk within a second, and within four where it gets 1.2 Mbit/s', () => {
  expect([after(100_000, 1_000), after(15_000, 4_000)]).toEqual([true, true]);
});

test('bulk that stops is light again after four seconds, and not before two', () => {
  const meter = new Meter(0);
  meter.add(10_000_000, 0);
  expect([meter.isBulk(2_000), meter.isBulk(4_100)]).toEqual([true, false]);
});

test('is empty only when all of it has leaked', () => {
  const meter = new Meter(0);
  meter.add(65_000, 0);
  expect([meter.isEmpty(900), meter.isEmpty(1_000)]).toEqual([false, true]);
});
