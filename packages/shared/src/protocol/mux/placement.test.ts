/** Which lane streams go to: as transcripts of two sessions with lanes, over simulated links. */
import { expect, test } from '@jest/globals';
import { LanesPair } from '../../../../../test/support/mux-lanes.ts';
import type { Seen } from '../../../../../test/support/mux-pair.ts';

const much = 300_000;

/** Streams of a client, settled, and its further lanes. */
function opened(streams: number, ...lanes: number[]): { pair: LanesPair; seen: Seen[] } {
  const pair = new LanesPair();
  const seen = Array.from({ length: streams }, () => pair.open());
  pair.settle();
  for (const lane of lanes) pair.addLane(lane);
  return { pair, seen };
}

function bulk(pair: LanesPair, ...seen: Seen[]): void {
  for (const { stream } of seen) pair.ends.client.moved(stream, much, 'sent');
  pair.settle();
}

const lanesOf = (seen: readonly Seen[]): number[] =>
  seen.map(({ stream }) => (stream.lane as { number: number } & typeof stream.lane).number);

test('bulk keeps its lane, light streams leave it, and new ones open beside it', () => {
  const { pair, seen } = opened(3, 1);
  bulk(pair, seen[1]!);
  const fresh = pair.open();
  pair.settle();
  expect(lanesOf([...seen, fresh])).toEqual([1, 0, 1, 1]);
});

test('bulk that shares a lane gets one of its own, the oldest keeps it; one lane stays without bulk', () => {
  const { pair, seen } = opened(4, 1, 2);
  bulk(pair, ...seen.slice(0, 3));
  expect(lanesOf(seen)).toEqual([0, 2, 0, 1]);
  pair.addLane(3);
  pair.settle();
  expect(lanesOf(seen)).toEqual([0, 2, 3, 1]);
});

test('with one lane nothing moves, and without bulk neither', () => {
  const alone = opened(2);
  bulk(alone.pair, alone.seen[0]!);
  const idle = opened(2, 1, 2);
  idle.pair.settle();
  expect([lanesOf(alone.seen), lanesOf(idle.seen)]).toEqual([
    [0, 0],
    [0, 0],
  ]);
});

test('bulk on the lane of the light streams keeps it, and they go on to one without', () => {
  const { pair, seen } = opened(3, 1, 2);
  bulk(pair, seen[0]!);
  bulk(pair, seen[1]!);
  expect(lanesOf(seen)).toEqual([0, 1, 2]);
});

test('as many lanes serve as there is bulk in one direction, and one for the rest; then one again', () => {
  const { pair, seen } = opened(4);
  const wanted = (): number => pair.ends.client.lanesWanted;
  expect(wanted()).toBe(1);
  for (const one of seen.slice(0, 2)) pair.ends.client.moved(one.stream, much, 'sent');
  expect(wanted()).toBe(3);
  for (const one of seen.slice(0, 3)) pair.ends.client.moved(one.stream, much, 'received');
  expect(wanted()).toBe(4);
  pair.nowMs += 60_000;
  expect(wanted()).toBe(1);
});

test('no more lanes are wanted than were agreed on', () => {
  const pair = new LanesPair({ lanes: 3 });
  for (let n = 0; n < 6; n++) pair.ends.client.moved(pair.open().stream, much, 'sent');
  expect(pair.ends.client.lanesWanted).toBe(3);
});

test('a lane whose peer owes an answer gets no new streams', () => {
  const { pair, seen } = opened(1, 1, 2);
  bulk(pair, seen[0]!);
  pair.lane('client', 1)!.ping(1);
  pair.nowMs += 1_500;
  expect(lanesOf([pair.open()])).toEqual([2]);
});

test('a bulk stream that ends makes room: light streams stay where they are, new ones go to the first lane', () => {
  const { pair, seen } = opened(2, 1);
  bulk(pair, seen[0]!);
  seen[0]!.stream.reset({ code: 24, reason: '' });
  pair.settle();
  expect(lanesOf([seen[1]!, pair.open()])).toEqual([1, 0]);
});
