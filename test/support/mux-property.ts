/**
 * The property of the mux: whatever two ends do and wherever their carriers die, every stream's bytes arrive in order
 * and complete, each stream ends exactly once, offsets stay in order and memory bounded. One run is one random history;
 * used by the unit test and by the fuzzer.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { MuxPair, other, type Side } from './mux-pair.ts';

const side = fc.constantFrom<Side>('client', 'server');
const id = fc.nat(4);
const step = fc.oneof(
  { weight: 2, arbitrary: fc.record({ op: fc.constant('open' as const), side, id }) },
  {
    weight: 8,
    arbitrary: fc.record({
      op: fc.constant('send' as const),
      side,
      id,
      length: fc.oneof(fc.integer({ min: 1, max: 3_000 }), fc.constant(15_000)),
      how: fc.constantFrom('copy' as const, 'buffer' as const, 'view' as const),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant('send' as const),
      side,
      id,
      length: fc.integer({ min: 4_096, max: 65_000 }),
      how: fc.constantFrom('buffer' as const, 'view' as const),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      op: fc.constant('move' as const),
      side,
      id,
      bytes: fc.oneof(fc.nat(40), fc.nat(100_000)),
      budget: fc.option(
        fc.record({ frames: fc.integer({ min: 1, max: 200 }), bytes: fc.integer({ min: 1, max: 9_000 }) }),
      ),
    }),
  },
  { weight: 4, arbitrary: fc.record({ op: fc.constant('accept' as const), side, id }) },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constantFrom('finish' as const, 'reset' as const, 'answer' as const, 'refuse' as const),
      side,
      id,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constantFrom('cut' as const, 'resume' as const, 'fill' as const, 'ping' as const),
      side,
      id,
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const replayLimitBytes = 1 << 18;
/** A read of each stream may pass the limit, and control frames. */
const slackBytes = 8 * 65_600 + 131_072;

export function muxProperty(): fc.IProperty<[Step[]]> {
  return fc.property(fc.array(step, { minLength: 5, maxLength: 80, size: 'max' }), (steps) => {
    const pair = new MuxPair({ replayLimitBytes });
    const answered = new Set<number>();
    for (let n = 0; n < 3; n++) pair.open();
    for (const one of steps) {
      pair.nowMs += 1;
      act(pair, one, answered);
      for (const end of ['client', 'server'] as const) {
        const { lane, streamCount } = pair.ends[end];
        const { unanswered } = pair.ends[end].first;
        const { log } = lane;
        assert(unanswered >= 0 && unanswered <= streamCount, `${unanswered} OPENs of ${streamCount} are unanswered`);
        assert(log.acked <= log.sent && log.sent <= log.head, 'offsets out of order');
        assert(log.unacked <= replayLimitBytes + slackBytes, `${log.unacked} bytes kept`);
      }
    }
    pair.settle();
    judge(pair);
  });
}

function act(pair: MuxPair, one: Step, answered: Set<number>): void {
  const stream = one.id * 2 + 1;
  const seen = pair.streams[one.side].get(stream);
  switch (one.op) {
    case 'open':
      pair.open();
      return;
    case 'cut':
      pair.cut();
      return;
    case 'resume':
      pair.resume();
      return;
    case 'fill':
      pair.full[one.side] = !pair.full[one.side];
      return;
    case 'ping':
      pair.ends[one.side].first.ping(1);
      return;
    case 'move':
      pair.flush(one.side);
      pair.deliver(one.side, one.bytes, one.budget ? { ...one.budget } : undefined);
      return;
    default:
      if (!seen || seen.over) return;
  }
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

function judge(pair: MuxPair): void {
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
    const { lane, silence } = pair.ends[end].first;
    assert.equal(lane.log.unacked, 0, 'bytes are kept that both ends have');
    assert.equal(silence.runs, false, 'a peer that answered everything owes nothing');
  }
}
