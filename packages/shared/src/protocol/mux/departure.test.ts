import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { LanesPair } from '../../../../../test/support/mux-lanes.ts';
import { MuxPair } from '../../../../../test/support/mux-pair.ts';
import { behindAckMs, inAllMs } from './departure.ts';
import { encodeFrame, frameType } from './frame.ts';

const draining = { code: 53, reason: 'draining' };
const open = (id: number): Uint8Array => encodeFrame(frameType.open, id, new Uint8Array(0));

describe('an OPEN', () => {
  test('that crosses GOAWAY is accepted, with what it brings', () => {
    const pair = new MuxPair();
    pair.ends.server.goaway(draining, 1_000);
    const crossing = pair.open();
    pair.send('client', 1, 10, 'copy');
    pair.settle();
    expect([crossing.over, pair.streams.server.get(1)!.received]).toEqual([undefined, 10]);
  });

  test('that waits behind the ACK of GOAWAY is accepted', () => {
    const pair = new MuxPair();
    pair.ends.server.goaway(draining, 1_000);
    pair.flush('server');
    const waiting = pair.open();
    pair.deliver('server');
    pair.flush('client'); // the ACK goes first
    pair.settle();
    expect([pair.ends.server.acceptsForMs < behindAckMs, waiting.over]).toEqual([true, undefined]);
  });

  test('that is late on another lane is accepted for a second behind the ACK, and then refused', () => {
    for (const [lateMs, over] of [
      [behindAckMs - 1, undefined],
      [behindAckMs, 'refused'],
    ] as const) {
      const pair = new LanesPair();
      pair.settle();
      pair.addLane(1);
      pair.ends.server.goaway(draining, 1_000);
      pair.flush('server');
      pair.deliver('server');
      pair.flush('client');
      pair.deliver('client');
      expect(pair.ends.server.acceptsForMs).toBe(behindAckMs);
      pair.nowMs += lateMs;
      pair.lane('server', 1)!.receive(open(1));
      expect(pair.ends.server.streamCount).toBe(over ? 0 : 1);
    }
  });
});

test('a peer that acknowledges nothing, or cannot, is refused after the bound, however often it asks', () => {
  for (const resumable of [true, false]) {
    const pair = new MuxPair({ resumable });
    pair.flush('server');
    pair.ends.server.goaway(draining, 1_000);
    for (let id = 1; pair.nowMs < 2 * inAllMs; id += 2, pair.nowMs += 500) {
      pair.flush('server'); // the answers and GOAWAY are written, and lost
      pair.ends.server.first.receive(open(id));
    }
    expect(pair.ends.server.streamCount).toBe(inAllMs / 500);
  }
});

test('whatever crosses and whenever it is acknowledged, the time is told, bounded and never gets longer', () => {
  const step = fc.oneof(
    fc.record({ open: fc.constant(true) }),
    fc.record({ flush: fc.constantFrom('client' as const, 'server' as const) }),
    fc.record({ deliver: fc.constantFrom('client' as const, 'server' as const), bytes: fc.nat(60) }),
    fc.record({ waitMs: fc.nat(900) }),
  );
  fc.assert(
    fc.property(fc.boolean(), fc.nat(20), fc.array(step, { maxLength: 80 }), (resumable, before, steps) => {
      const pair = new MuxPair({ resumable, maxStreams: 1_000 });
      let [saidMs, untilMs] = [Infinity, Infinity];
      for (const [n, one] of steps.entries()) {
        if (n === before) {
          pair.ends.server.goaway(draining, 0);
          saidMs = pair.nowMs;
        }
        const accepted = pair.ends.server.streamCount;
        if ('open' in one && pair.goaways.length === 0) pair.open();
        else if ('flush' in one) pair.flush(one.flush);
        else if ('deliver' in one) pair.deliver(one.deliver, one.bytes);
        else if ('waitMs' in one) pair.nowMs += one.waitMs;
        const leftMs = pair.ends.server.acceptsForMs;
        if (saidMs === Infinity) expect(leftMs).toBe(Infinity);
        else {
          expect(leftMs > 0 || pair.ends.server.streamCount === accepted).toBe(true);
          if (leftMs > 0) expect(pair.nowMs + leftMs).toBeLessThanOrEqual(Math.min(untilMs, saidMs + inAllMs));
          if (leftMs > 0) untilMs = pair.nowMs + leftMs;
          if (pair.nowMs >= saidMs + inAllMs) expect(leftMs).toBe(0);
        }
      }
      if (pair.nowMs - saidMs < behindAckMs)
        for (const seen of pair.streams.client.values()) expect(seen.code).toBe(-1);
    }),
    { numRuns: 2_000 },
  );
});
