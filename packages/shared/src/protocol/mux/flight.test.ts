import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Flight } from './flight.ts';

/**
 * A link of `rate` bytes per ms and a round trip of `rtt` ms, kept as full as the cap allows, acknowledged every 16
 * KiB.
 */
function run(rate: number, rtt: number, ms: number): Flight {
  const flight = new Flight(64 * 1024 * 1024);
  let sent = 0;
  let acked = 0;
  let free = 0;
  const acks: [at: number, offset: number][] = [];
  for (let now = 0; now < ms; now++) {
    while (sent - acked < flight.capBytes) {
      sent += 16_384;
      flight.sent(sent, acked, now);
      free = Math.max(free, now) + 16_384 / rate;
      acks.push([free + rtt, sent]);
    }
    while (acks.length > 0 && acks[0]![0] <= now) {
      acked = acks.shift()![1];
      flight.acknowledged(acked, 0, now);
    }
  }
  return flight;
}

test('on a long fat link the cap grows to what the link holds, and not far beyond', () => {
  const [rate, rtt] = [12_500, 80]; // 100 Mbit/s, 80 ms: 1 MB under way
  const { capBytes, srttMs } = run(rate, rtt, 5_000);
  expect(capBytes).toBeGreaterThan(rate * rtt);
  expect(capBytes).toBeLessThan(rate * (rtt + 30) + 200_000);
  expect(srttMs).toBeLessThan(rtt + 40);
});

test('after a loss the kernel alone decides, for ten seconds; then the cap is back', () => {
  const flight = run(6_250, 40, 1_000);
  const capped = flight.capBytes;
  flight.lost(1_000);
  expect(flight.capBytes).toBe(64 * 1024 * 1024);
  const acknowledge = (now: number): void => {
    const offset = 1e9 + now * 6_250;
    flight.sent(offset, offset - 250_000, now);
    flight.acknowledged(offset, 0, now + 40);
  };
  acknowledge(10_900);
  expect(flight.capBytes).toBe(64 * 1024 * 1024);
  acknowledge(11_000);
  expect(flight.capBytes).toBeLessThan(2 * capped);
});

test('what is unsent is what leaves in 10 ms, or in 30 after a loss, within bounds; first nothing is known', () => {
  expect(new Flight(1_000_000).unsentBytes).toBeUndefined();
  expect(run(12_500, 80, 5_000).unsentBytes).toBeGreaterThan(100_000);
  expect(run(12_500, 80, 5_000).unsentBytes).toBeLessThan(200_000);
  const lossy = run(12_500, 80, 5_000);
  const before = lossy.unsentBytes!;
  lossy.lost(5_000);
  expect(lossy.unsentBytes! / before).toBeCloseTo(3, 1);
  expect(run(625, 40, 5_000).unsentBytes).toBe(32_768);
  const quiet = new Flight(1_000_000);
  quiet.sent(100, 0, 0);
  quiet.acknowledged(100, 0, 1);
  expect(quiet.unsentBytes).toBe(131_072);
  expect(run(2_000_000, 1, 1_000).unsentBytes).toBe(1_048_576);
});

test('on a slow link the queue stays short', () => {
  const [rate, rtt] = [625, 40]; // 5 Mbit/s
  expect(run(rate, rtt, 10_000).capBytes).toBeLessThanOrEqual(131_072);
});

test('never exceeds its limit and never falls to nothing', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(200_000), fc.nat(100), fc.nat(100)), { minLength: 1, maxLength: 50 }),
      (steps) => {
        const flight = new Flight(1_000_000);
        let [sent, acked, now] = [0, 0, 0];
        for (const [bytes, ack, pause] of steps) {
          sent += bytes;
          flight.sent(sent, acked, now);
          now += pause;
          acked += Math.floor(((sent - acked) * ack) / 100);
          flight.acknowledged(acked, ack, now);
          expect(flight.capBytes).toBeGreaterThanOrEqual(65_536);
          expect(flight.capBytes).toBeLessThanOrEqual(1_000_000);
        }
      },
    ),
  );
});

test('what was under way on a dead carrier is no measure for the next', () => {
  const flight = new Flight(1_000_000);
  flight.sent(40_000, 0, 0);
  flight.restart(0);
  flight.acknowledged(40_000, 0, 30_000);
  expect(flight.srttMs).toBe(0);
});
