/** How streams move between lanes: as transcripts of two sessions with lanes, over simulated links. */
import { expect, test } from '@jest/globals';
import { LanesPair } from '../../../../../test/support/mux-lanes.ts';
import type { Side } from '../../../../../test/support/mux-pair.ts';

/** An open stream, and lane 1 beside lane 0. */
function opened(): LanesPair {
  const pair = new LanesPair();
  pair.open();
  pair.settle();
  pair.addLane(1);
  return pair;
}

function go(pair: LanesPair, side: Side, lane: number): void {
  pair.streams[side].get(1)!.stream.moveTo(pair.lane(side, lane)!);
}

function laneOf(pair: LanesPair, side: Side): number {
  return [0, 1].find((lane) => pair.streams[side].get(1)!.stream.lane === pair.lane(side, lane))!;
}

/** What an end has for lane 0 goes to the other, which acknowledges it. */
function acknowledge(pair: LanesPair, from: Side): void {
  const to = from === 'client' ? 'server' : 'client';
  for (const side of [from, to] as const) {
    pair.flushLane(0, side);
    pair.deliverLane(0, side);
  }
}

test('a stream of which everything is acknowledged moves at once', () => {
  const pair = opened();
  go(pair, 'client', 1);
  pair.send('client', 1, 100, 'copy');
  pair.flushLane(0, 'client');
  expect([laneOf(pair, 'client'), pair.link.client]).toEqual([1, []]);
});

test('a stream that moves is stopped until the old lane has acknowledged what it sent, and has its turn then', () => {
  const pair = opened();
  const seen = pair.streams.client.get(1)!;
  pair.send('client', 1, 100, 'copy');
  go(pair, 'client', 1);
  expect([seen.stream.canSend(), laneOf(pair, 'client')]).toEqual([false, 0]);
  acknowledge(pair, 'client');
  expect([laneOf(pair, 'client'), seen.turns, seen.stream.canSend()]).toEqual([1, 1, true]);
});

test('a read that was under way when it stopped goes on the old lane, and is waited for too', () => {
  const pair = opened();
  pair.send('client', 1, 100, 'copy');
  go(pair, 'client', 1);
  pair.flushLane(0, 'client');
  pair.streams.client.get(1)!.turns = 1; // its source was reading
  pair.send('client', 1, 200, 'copy');
  pair.deliverLane(0, 'client', 108);
  pair.flushLane(0, 'server');
  pair.deliverLane(0, 'server');
  expect(laneOf(pair, 'client')).toBe(0);
  acknowledge(pair, 'client');
  expect([laneOf(pair, 'client'), pair.streams.server.get(1)!.received]).toEqual([1, 300]);
});

test('FIN goes behind the bytes, on the old lane, whatever the new one carries', () => {
  const pair = opened();
  pair.send('client', 1, 100, 'copy');
  go(pair, 'client', 1);
  pair.finish('client', 1);
  pair.flushLane(1, 'client');
  pair.deliverLane(1, 'client');
  expect(pair.streams.server.get(1)!.ended).toBe(false);
  acknowledge(pair, 'client');
  expect([pair.streams.server.get(1)!.received, pair.streams.server.get(1)!.ended]).toEqual([100, true]);
});

test('RESET during a move ends the stream at both ends, and nothing waits for it', () => {
  const pair = opened();
  pair.send('client', 1, 100, 'copy');
  go(pair, 'client', 1);
  pair.streams.client.get(1)!.stream.reset({ code: 24, reason: '' });
  pair.streams.client.get(1)!.over = 'reset';
  pair.settle();
  expect([pair.streams.server.get(1)!.code, pair.ends.client.streamCount, pair.ends.server.streamCount]).toEqual([
    24, 0, 0,
  ]);
  expect([0, 1].map((lane) => pair.lane('client', lane)!.streams)).toEqual([0, 0]);
});

test('both directions move at once, and neither waits for the other', () => {
  const pair = opened();
  for (const side of ['client', 'server'] as const) {
    pair.send(side, 1, 1_000, 'copy');
    go(pair, side, 1);
  }
  acknowledge(pair, 'server');
  expect([laneOf(pair, 'server'), laneOf(pair, 'client')]).toEqual([1, 0]);
  pair.settle();
  for (const side of ['client', 'server'] as const) pair.send(side, 1, 500, 'copy');
  pair.settle();
  expect([pair.streams.client.get(1)!.received, pair.streams.server.get(1)!.received]).toEqual([1_500, 1_500]);
});

test('a stream without credit that moves waits for WINDOW there, and never sends beyond it', () => {
  const pair = opened();
  const seen = pair.streams.client.get(1)!;
  for (let n = 0; n < 4; n++) {
    seen.turns = 1;
    pair.send('client', 1, 60_000, 'view');
  }
  go(pair, 'client', 1);
  acknowledge(pair, 'client');
  pair.flushLane(1, 'client');
  expect([laneOf(pair, 'client'), seen.turns]).toEqual([1, 0]);
  pair.settle();
  expect(seen.turns).toBe(1);
});

test('a move whose new lane closes meanwhile ends on lane 0', () => {
  const pair = opened();
  pair.send('client', 1, 100, 'copy');
  go(pair, 'client', 1);
  pair.cutLane(1);
  pair.settle();
  pair.send('client', 1, 100, 'copy');
  pair.settle();
  expect([laneOf(pair, 'client'), pair.streams.server.get(1)!.received]).toEqual([0, 200]);
});

test('a move waits for the resume of lane 0, and goes on with what that acknowledges', () => {
  const pair = opened();
  pair.send('client', 1, 5_000, 'copy');
  go(pair, 'client', 1);
  pair.flushLane(0, 'client');
  pair.deliverLane(0, 'client');
  pair.cutLane(0);
  expect(laneOf(pair, 'client')).toBe(0);
  pair.resume();
  expect(laneOf(pair, 'client')).toBe(1);
});

test('the round trip of a new lane is that of lane 0 until it has its own', () => {
  const pair = opened();
  const [first, further] = [pair.lane('client', 0)!, pair.lane('client', 1)!];
  first.lane.flight.measured(30);
  expect(further.srttMs).toBe(first.srttMs);
  further.lane.flight.measured(50);
  expect(further.srttMs).toBe(50);
});
