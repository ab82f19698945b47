/** How lanes end: as transcripts of two sessions with lanes, over simulated links. */
import { expect, test } from '@jest/globals';
import { LanesPair } from '../../../../../test/support/mux-lanes.ts';
import { encodeFrame, frameType } from './frame.ts';

const hex = (bytes: readonly Uint8Array[]): string => Buffer.concat(bytes).toString('hex');

test('each end says once up to where it parsed the lane, and forgets it when the other has said so', () => {
  const pair = new LanesPair();
  pair.addLane(1);
  pair.cutLane(1, 'client');
  pair.flushLane(0, 'client');
  expect(hex(pair.link.client)).toBe('0700000d00000000' + '01' + '0000000000000000' + '00000000');
  expect([pair.lane('client', 1)?.closing, pair.lane('server', 1)?.closing]).toEqual([true, false]);
  pair.settle();
  expect([pair.lane('client', 1), pair.lane('server', 1)]).toEqual([undefined, undefined]);
});

test('what was under way on it goes on on lane 0, from the byte that was parsed last', () => {
  const pair = new LanesPair();
  const { stream } = pair.open();
  pair.settle();
  pair.addLane(1);
  stream.moveTo(pair.lane('client', 1)!);
  pair.send('client', 1, 5_000, 'view');
  pair.send('client', 1, 300, 'copy');
  pair.finish('client', 1);
  pair.flushLane(1, 'client');
  pair.deliverLane(1, 'client', 8 + 1_234);
  expect(pair.streams.server.get(1)!.received).toBe(1_234);
  pair.cutLane(1, 'server');
  pair.settle();
  const { received, ended } = pair.streams.server.get(1)!;
  expect([received, ended]).toEqual([5_300, true]);
});

test('an OPEN that was under way on it arrives, though its id is below one that came on lane 0', () => {
  const pair = new LanesPair();
  const bulk = pair.open();
  pair.settle();
  pair.addLane(1);
  pair.ends.client.moved(bulk.stream, 300_000, 'sent');
  pair.open();
  pair.ends.client.lanes.of(1)!.closing = true; // the next one goes on lane 0
  pair.open();
  pair.ends.client.lanes.of(1)!.closing = false;
  pair.flushLane(0, 'client');
  pair.deliverLane(0, 'client');
  expect([...pair.streams.server.keys()]).toEqual([1, 5]);
  pair.cutLane(1);
  pair.settle();
  expect([...pair.streams.server.keys()]).toEqual([1, 5, 3]);
});

test('a lane of which only the server knows, because its WELCOME was lost, hands over everything', () => {
  const pair = new LanesPair();
  pair.open();
  pair.settle();
  pair.addLane(1, { welcomed: false });
  const theirs = pair.streams.server.get(1)!;
  theirs.stream.moveTo(pair.lane('server', 1)!);
  pair.send('server', 1, 2_000, 'copy');
  pair.settle();
  expect([pair.streams.client.get(1)!.received, pair.lane('server', 1)]).toEqual([2_000, undefined]);
});

test('no buffer that the dead carrier may hold is given back to its pool', () => {
  const pair = new LanesPair();
  const { stream } = pair.open();
  pair.settle();
  pair.addLane(1);
  stream.moveTo(pair.lane('client', 1)!);
  let given = 0;
  stream.sendBuffer(new Uint8Array(10_008), 10_000, { release: () => given++ });
  pair.flushLane(1, 'client');
  pair.cutLane(1);
  pair.streams.client.delete(1);
  expect(() => pair.settle()).toThrow('byte'); // the bytes are not those of the pattern: they came
  expect(given).toBe(0);
});

test.each([
  ['lane 0', '00 0000000000000000 00000000'],
  ['an offset beyond what was sent', '01 0000000000000009 00000000'],
  ['a frame in the middle of which there is none', '01 0000000000000000 00000003'],
  ['an offset above 2^53', '01 ffffffffffffffff 00000000'],
  ['twelve bytes', '01 0000000000000000 000000'],
])('LANE_CLOSE of %s is a fault', (_what, payload) => {
  const pair = new LanesPair();
  pair.addLane(1);
  const bytes = Buffer.from(payload.replaceAll(' ', ''), 'hex');
  expect(() => pair.ends.server.first.receive(encodeFrame(frameType.laneClose, 0, bytes))).toThrow(
    expect.objectContaining({ code: 1 }),
  );
});

test('to a session without lanes LANE_CLOSE is an unknown type', () => {
  const pair = new LanesPair({ lanes: 1 });
  pair.open();
  pair.settle();
  expect(() => pair.ends.server.first.receive(encodeFrame(frameType.laneClose, 1, new Uint8Array(13)))).toThrow(
    'unknown sequenced',
  );
});
