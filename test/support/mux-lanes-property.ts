/**
 * The property of lanes: whatever two ends do, however streams move between lanes and wherever the carriers of lanes
 * die, every stream's bytes arrive in order and complete, and each stream ends exactly once at each end. Nothing is
 * lost with a lane, and memory stays bounded. One run is one random history; used by the unit test and by the fuzzer.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { LanesPair } from './mux-lanes.ts';
import { other, type Side } from './mux-pair.ts';

const side = fc.constantFrom<Side>('client', 'server');
const id = fc.nat(4);
const lane = fc.nat(3);
const length = fc.oneof(fc.integer({ min: 1, max: 3_000 }), fc.integer({ min: 4_096, max: 65_000 }));
const how = fc.constantFrom('copy' as const, 'buffer' as const, 'view' as const);
const bytes = fc.oneof(fc.nat(40), fc.nat(100_000));
const common = { side, id, lane, length, how, bytes };

function ops<T extends string>(weight: number, ...op: T[]) {
  return { weight, arbitrary: fc.record({ op: fc.constantFrom(...op), ...common }) };
}

const step = fc.oneof(
  ops(10, 'send'),
  ops(10, 'deliver'),
  ops(6, 'go'),
  ops(4, 'accept'),
  ops(3, 'add', 'cut', 'resume'),
  ops(3, 'open', 'finish', 'reset', 'answer', 'refuse'),
  ops(2, 'bulk', 'ping'),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const replayLimitBytes = 1 << 18;
/** A read of each stream may pass the limit on each lane, and control frames. */
const slackBytes = 8 * 65_600 + 131_072;

export function lanesProperty(): fc.IProperty<[Step[]]> {
  return fc.property(fc.array(step, { minLength: 5, maxLength: 100, size: 'max' }), (steps) => {
    const pair = new LanesPair({ replayLimitBytes });
    const answered = new Set<number>();
    for (let n = 0; n < 3; n++) pair.open();
    for (const one of steps) {
      pair.nowMs += 1;
      act(pair, one, answered);
      for (const end of ['client', 'server'] as const) checkBounds(pair, end);
    }
    pair.settle();
    judge(pair);
  });
}

function checkBounds(pair: LanesPair, end: Side): void {
  const session = pair.ends[end];
  for (const { lane: one, unanswered, streams } of session.lanes.all) {
    assert(unanswered >= 0 && unanswered <= session.streamCount, 'unanswered OPENs are counted wrong');
    assert(streams >= 0 && streams <= session.streamCount, 'the streams of a lane are counted wrong');
    assert(one.log.acked <= one.log.sent && one.log.sent <= one.log.head, 'offsets out of order');
  }
  const streams = session.lanes.all.reduce((sum, one) => sum + one.streams, 0);
  assert.equal(streams, session.streamCount, 'a stream sends on no lane, or on two');
  assert(session.unacked <= replayLimitBytes + slackBytes, `${session.unacked} bytes kept`);
}

function act(pair: LanesPair, one: Step, answered: Set<number>): void {
  switch (one.op) {
    case 'open':
      pair.open();
      return;
    case 'deliver':
      pair.flushLane(one.lane, one.side);
      pair.deliverLane(one.lane, one.side, one.bytes);
      return;
    case 'ping':
      pair.lane(one.side, one.lane)?.ping(1);
      return;
    default:
      if (!onLanes(pair, one)) onStream(pair, one, answered);
  }
}

/** Whether it was a step of a lane. */
function onLanes(pair: LanesPair, one: Step): boolean {
  switch (one.op) {
    case 'add':
      if (one.lane > 0 && !pair.links.has(one.lane)) pair.addLane(one.lane, { welcomed: one.length > 300 });
      return true;
    case 'cut':
      pair.cutLane(one.lane, one.lane === 0 || one.length > 1_500 ? 'both' : one.side);
      return true;
    case 'resume':
      pair.resume();
      return true;
    default:
      return false;
  }
}

function onStream(pair: LanesPair, one: Step, answered: Set<number>): void {
  const stream = one.id * 2 + 1;
  const seen = pair.streams[one.side].get(stream);
  if (!seen || seen.over) return;
  switch (one.op) {
    case 'send':
      pair.send(one.side, stream, one.length, one.how);
      return;
    case 'accept':
      seen.accept();
      return;
    case 'finish':
      pair.finish(one.side, stream);
      return;
    case 'go': {
      const to = pair.lane(one.side, one.lane);
      if (to?.takes) seen.stream.moveTo(to);
      return;
    }
    case 'bulk':
      if (!seen.stream.dead) pair.ends[one.side].moved(seen.stream, 300_000, 'sent');
      return;
    case 'reset':
      seen.stream.reset({ code: 24, reason: '' });
      seen.over = 'reset';
      return;
    default:
      if (one.side === 'client' || answered.has(stream)) return;
      answered.add(stream);
      if (one.op === 'answer') seen.stream.accept(new Uint8Array(0));
      else {
        seen.stream.refuse({ code: 16, reason: '' });
        seen.over = 'refused';
      }
  }
}

function judge(pair: LanesPair): void {
  for (const end of ['client', 'server'] as const) {
    for (const [stream, seen] of pair.streams[end]) {
      const peer = pair.streams[other(end)].get(stream);
      assert(peer, `stream ${stream} is known at the ${end} only`);
      assert(seen.overs <= 1, 'ended twice');
      assert(seen.received <= peer.sent, 'more arrived than was sent');
      if (!seen.over && !peer.over)
        assert.deepEqual(
          [seen.received, seen.ended],
          [peer.sent, peer.finSent],
          `stream ${stream} at the ${end} is not complete`,
        );
      if (seen.ended) assert.equal(seen.received, peer.sent, 'a clean end hides a truncation');
      if (peer.over)
        assert(seen.over !== undefined || (seen.ended && seen.finSent), `stream ${stream} lives on at the ${end}`);
    }
    assert.equal(pair.ends[end].unacked, 0, 'bytes are kept that both ends have');
    for (const { silence } of pair.ends[end].lanes.all)
      assert.equal(silence.runs, false, 'a peer that answered everything owes nothing');
  }
}
