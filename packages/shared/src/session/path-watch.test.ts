import { expect, test } from '@jest/globals';
import type { TcpControl } from '../net/tcp-control.ts';
import { Flight } from '../protocol/mux/flight.ts';
import { PathWatch } from './path-watch.ts';

const limit = 8 << 20;

/** A lane at `rate` bytes per ms, and a kernel that resends when told to. */
function path(): {
  readonly flight: Flight;
  readonly watch: PathWatch;
  readonly bounds: number[];
  resend(): void;
  carry(rate: number, at: number): void;
} {
  const flight = new Flight(limit);
  const bounds: number[] = [];
  let resent = 7;
  const tcp: TcpControl = {
    congestion: 'reno',
    boundUnsent: (bytes) => void bounds.push(bytes),
    resent: () => resent,
  };
  let sent = 0;
  return {
    flight,
    watch: new PathWatch(tcp, flight),
    bounds,
    resend: () => void resent++,
    carry: (rate, at) => {
      flight.sent((sent += rate * 40), sent - rate * 40, at);
      flight.acknowledged(sent, 0, at + 40);
    },
  };
}

test('a segment that is sent again lifts the cap; those from before the carrier carried data do not', () => {
  const { flight, watch, resend } = path();
  watch.look(1_000);
  expect(flight.capBytes).toBeLessThan(limit);
  resend();
  watch.look(1_010); // asked too soon
  expect(flight.capBytes).toBeLessThan(limit);
  watch.look(1_050);
  expect(flight.capBytes).toBe(limit);
});

test('the kernel may hold what leaves in 10 ms, and is told when that changes by a quarter', () => {
  const { watch, bounds, carry } = path();
  watch.look(0);
  expect(bounds).toEqual([]); // nothing is known yet
  carry(12_500, 100);
  watch.look(200);
  expect(bounds).toEqual([125_000]);
  carry(13_000, 300);
  watch.look(400);
  carry(25_000, 500);
  watch.look(600);
  expect(bounds).toEqual([125_000, 250_000]);
});

test('without control of the connection nothing is asked', () => {
  const flight = new Flight(limit);
  const watch = new PathWatch(undefined, flight);
  watch.look(0);
  expect(flight.capBytes).toBeLessThan(limit);
});
