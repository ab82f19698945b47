import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { LanesPair } from '../../../../../test/support/mux-lanes.ts';
import { lanesProperty } from '../../../../../test/support/mux-lanes-property.ts';
import { inAllMs } from './departure.ts';
import { encodeFrame, frameType } from './frame.ts';

test('carriers of any lane die at any byte while streams move, end and are reset: bytes in order and complete', () => {
  fc.assert(lanesProperty(), { numRuns: 1_500 });
});

test('all lanes together keep no more than the limit of one, and each may always keep a sixteenth', () => {
  const limit = 1 << 20;
  const pair = new LanesPair({ replayLimitBytes: limit });
  const streams = Array.from({ length: 8 }, () => pair.open());
  pair.settle();
  for (let lane = 1; lane < 8; lane++) pair.addLane(lane);
  for (const [n, { stream }] of streams.entries()) stream.moveTo(pair.lane('client', n)!);
  for (let round = 0; round < 200; round++)
    for (const [n, { stream }] of streams.entries()) {
      if (stream.canSend()) stream.sendView(new Uint8Array(10_000));
      pair.flushLane(n, 'client');
      pair.links.get(n)!.out.client.length = 0; // the peer takes it, and acknowledges nothing
    }
  expect(pair.ends.client.unacked).toBeLessThan(limit + 8 * 10_008);
  for (let n = 0; n < 8; n++) expect(pair.lane('client', n)!.unacked).toBeGreaterThan(limit / 16 - 1);
});

test('a peer that makes us answer on every lane and acknowledges nothing is cut off as on one lane', () => {
  const pair = new LanesPair({ replayLimitBytes: 1 << 16 });
  for (let lane = 1; lane < 8; lane++) pair.addLane(lane);
  pair.ends.server.goaway({ code: 53, reason: 'x'.repeat(200) }, 0);
  pair.nowMs += inAllMs; // now they are refused with that reason
  let opens = 0;
  expect(() => {
    for (; opens < 40_000; opens++)
      pair.lane('server', opens % 8)!.receive(encodeFrame(frameType.open, 2 * opens + 1, new Uint8Array(0)));
  }).toThrow(expect.objectContaining({ code: 4 }));
  expect(opens).toBeLessThan(1_300); // four times 64 KiB, in answers of 218 bytes
});

test('moving to and fro, with a peer that never acknowledges, keeps one stream stopped and nothing else', () => {
  const pair = new LanesPair();
  const [mover, other] = [pair.open(), pair.open()];
  pair.settle();
  pair.addLane(1);
  pair.send('client', mover.stream.id, 100, 'copy');
  for (let n = 0; n < 10_000; n++) mover.stream.moveTo(pair.lane('client', (n + 1) % 2)!);
  expect([mover.stream.canSend(), other.stream.canSend()]).toEqual([false, true]);
  pair.settle();
  expect([pair.streams.server.get(1)!.received, mover.stream.canSend()]).toEqual([100, true]);
});

test('a peer that sends the frames of a stream on two lanes at once is held to its credit', () => {
  const pair = new LanesPair();
  pair.addLane(1);
  const data = encodeFrame(frameType.data, 1, new Uint8Array(60_000));
  pair.ends.server.first.receive(encodeFrame(frameType.open, 1, new Uint8Array(0)));
  const quiet = { opened() {}, refused() {}, data() {}, end() {}, reset() {}, writable() {} };
  pair.streams.server.get(1)!.stream.events = quiet;
  expect(() => {
    for (let n = 0; n < 6; n++) pair.lane('server', n % 2)!.receive(data);
  }).toThrow(expect.objectContaining({ code: 3 }));
});
