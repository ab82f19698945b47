import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MuxPair, type Side } from '../../../../../test/support/mux-pair.ts';
import { muxProperty } from '../../../../../test/support/mux-property.ts';
import { wireCode } from '../refusal.ts';
import { behindAckMs, inAllMs } from './departure.ts';
import { encodeFrame, frameType } from './frame.ts';

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replace(/[\s|]/g, ''), 'hex'));

describe('opening a stream', () => {
  test('takes one round trip, and early bytes ride behind OPEN', () => {
    const pair = new MuxPair();
    const ours = pair.open();
    pair.send('client', 1, 5, 'copy');
    pair.flush('client');
    const sent = Buffer.from([0, 1, 2, 3, 4].map((at) => (2 * 131 + at * 7) & 0xff)).toString('hex');
    expect(Buffer.concat(pair.link.client).toString('hex')).toBe(`01000003000000010102030000000500000001${sent}`);
    pair.deliver('client');
    const theirs = pair.streams.server.get(1)!;
    expect(theirs.received).toBe(5);
    theirs.stream.accept(new Uint8Array(0));
    pair.flush('server');
    pair.deliver('server');
    expect(ours.openedBy).toBe(1);
  });

  test('that is refused ends there, and what still comes for it is dropped', () => {
    const pair = new MuxPair();
    const ours = pair.open();
    pair.flush('client');
    pair.deliver('client');
    pair.streams.server.get(1)!.stream.refuse({ code: 16, reason: 'no' });
    pair.flush('server');
    pair.send('client', 1, 100, 'copy');
    pair.deliver('server');
    pair.settle();
    expect([ours.over, ours.code, ours.overs]).toEqual(['refused', 16, 1]);
    expect([pair.ends.client.streamCount, pair.ends.server.streamCount]).toEqual([0, 0]);
  });

  test('beyond the limit of the session is refused by it', () => {
    const pair = new MuxPair({ maxStreams: 2 });
    const [, , third] = [pair.open(), pair.open(), pair.open()];
    pair.settle();
    expect([third.over, third.code]).toEqual(['refused', 27]);
  });

  test('after GOAWAY is refused once the peer can know, and the streams that are open go on', () => {
    const pair = new MuxPair();
    const first = pair.open();
    pair.settle();
    pair.ends.server.goaway({ code: 53, reason: 'draining' }, 1_000);
    pair.settle();
    expect(pair.goaways).toEqual(['client']);
    pair.nowMs += behindAckMs;
    const late = pair.open();
    pair.send('client', 1, 10, 'copy');
    pair.settle();
    expect([late.code, first.over, pair.streams.server.get(1)!.received]).toEqual([53, undefined, 10]);
  });
});

describe('ending a stream', () => {
  test.each([
    ['client', 'server'],
    ['server', 'client'],
  ] as const)('half by half, the %s first, keeps the other half open', (first, second) => {
    const pair = new MuxPair();
    pair.open();
    pair.settle();
    pair.finish(first, 1);
    pair.settle();
    expect(pair.streams[second].get(1)!.ended).toBe(true);
    pair.send(second, 1, 1_000, 'copy');
    pair.settle();
    expect(pair.streams[first].get(1)!.received).toBe(1_000);
    pair.finish(second, 1);
    pair.settle();
    expect([pair.ends.client.streamCount, pair.ends.server.streamCount]).toEqual([0, 0]);
    expect([pair.streams.client.get(1)!.overs, pair.streams.server.get(1)!.overs]).toEqual([0, 0]);
  });

  test('with a reset is told to the other side once, with its code', () => {
    const pair = new MuxPair();
    pair.open();
    pair.settle();
    pair.streams.server.get(1)!.stream.reset({ code: 24, reason: 'gone' });
    pair.streams.server.get(1)!.stream.reset({ code: 24, reason: 'gone' });
    pair.settle();
    expect([pair.streams.client.get(1)!.code, pair.streams.client.get(1)!.overs]).toEqual([24, 1]);
  });

  test('resets that cross each other leave nothing behind', () => {
    const pair = new MuxPair();
    pair.open();
    pair.settle();
    for (const side of ['client', 'server'] as const) pair.streams[side].get(1)!.stream.reset({ code: 25, reason: '' });
    pair.settle();
    expect([pair.ends.client.streamCount, pair.ends.server.streamCount]).toEqual([0, 0]);
  });

  test('the end of the session resets every stream', () => {
    const pair = new MuxPair();
    const [one, two] = [pair.open(), pair.open()];
    pair.ends.client.end({ code: 53, reason: 'over' });
    expect([one.code, two.code, pair.ends.client.over]).toEqual([53, 53, true]);
  });
});

describe('a peer that breaks the protocol', () => {
  test.each([
    ['DATA on a stream that was never opened', '00 000001 00000005 | 00'],
    ['an even id from a client', '01 000000 00000002'],
    ['an empty DATA frame', '00 000000 00000001'],
    ['a WINDOW of three bytes', '01 000000 00000001 | 04 000003 00000001 | 000000'],
    ['a FIN with a payload', '01 000000 00000001 | 05 000001 00000001 | 00'],
    ['DATA after FIN', '01 000000 00000001 | 05 000000 00000001 | 00 000001 00000001 | 00'],
    ['a second FIN', '01 000000 00000001 | 05 000000 00000001 | 05 000000 00000001'],
    ['OPEN_OK for its own stream', '01 000000 00000001 | 02 000000 00000001'],
    ['an id used twice', '01 000000 00000001 | 01 000000 00000001'],
    ['ACK of bytes that were never sent', '80 00000c 00000000 | 0000000000000009 00000000'],
    ['HELLO inside the session', 'c0 000000 00000000'],
    ['a sequenced type that nobody knows', '01 000000 00000001 | 1f 000000 00000001'],
  ])('%s is a fault of the session', (_what, frames) => {
    const pair = new MuxPair();
    expect(() => pair.ends.server.first.receive(hex(frames))).toThrow(expect.objectContaining({ code: 1 }));
  });

  test('more DATA than was granted is a fault of flow control', () => {
    const pair = new MuxPair();
    pair.ends.server.first.receive(hex('01 000000 00000001'));
    pair.streams.server.get(1)!.stream.events = {
      opened() {},
      refused() {},
      data() {},
      end() {},
      reset() {},
      writable() {},
    };
    const frame = encodeFrame(frameType.data, 1, new Uint8Array(65_528));
    expect(() => {
      for (let n = 0; n < 5; n++) pair.ends.server.first.receive(frame);
    }).toThrow(expect.objectContaining({ code: 3 }));
  });

  test('an unsequenced type that nobody knows is skipped', () => {
    const pair = new MuxPair();
    pair.ends.server.first.receive(hex('8f 000002 00000000 | 0102'));
    expect(pair.ends.server.over).toBe(false);
  });

  test('who never acknowledges what it makes us answer is cut off', () => {
    const pair = new MuxPair({ replayLimitBytes: 1 << 16 });
    const opens = Array.from({ length: 40_000 }, (_, n) => encodeFrame(frameType.open, 2 * n + 1, new Uint8Array(0)));
    pair.ends.server.goaway({ code: 53, reason: 'x'.repeat(200) }, 0);
    pair.nowMs += inAllMs; // now they are refused with that reason
    expect(() => {
      for (const open of opens) pair.ends.server.first.receive(open);
    }).toThrow(expect.objectContaining({ code: 4 }));
  });

  test('random bytes are a fault or nothing, never anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          new MuxPair().ends.server.first.receive(bytes);
        } catch (error) {
          expect(error).toHaveProperty('code');
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

test('PING is answered with what it brought', () => {
  const pair = new MuxPair();
  pair.ends.client.first.ping(7);
  pair.flush('client');
  pair.deliver('client');
  pair.flush('server');
  expect(Buffer.concat(pair.link.server).toString('hex')).toBe('82000008000000000000000000000007');
});

test('a slow destination stops its own stream at its window and no other', () => {
  const pair = new MuxPair();
  const [slow, quick] = [pair.open(), pair.open()];
  pair.settle();
  for (let n = 0; n < 200; n++) {
    pair.send('client', slow.stream.id, 10_000, 'copy');
    pair.send('client', quick.stream.id, 10_000, 'copy');
    pair.flush('client');
    pair.deliver('client');
    pair.streams.server.get(quick.stream.id)!.accept();
    pair.nowMs += 1;
    pair.flush('server');
    pair.deliver('server');
  }
  expect(pair.streams.server.get(slow.stream.id)!.received).toBeLessThanOrEqual(262_144);
  expect(pair.streams.server.get(quick.stream.id)!.received).toBe(2_000_000);
});

test('streams that all want the lane share it: none gets twice what another gets', () => {
  const pair = new MuxPair({ replayLimitBytes: 1 << 20 });
  const streams = Array.from({ length: 6 }, () => pair.open());
  pair.settle();
  const reads = new Map(streams.map((seen) => [seen.stream.id, 0]));
  const reading = new Set(streams);
  for (let round = 0; round < 400; round++) {
    for (const seen of streams) {
      if (seen.turns > 0) reading.add(seen);
      if (!reading.has(seen)) continue;
      const before = seen.sent;
      if (!pair.send('client', seen.stream.id, 60_000, 'buffer')) reading.delete(seen);
      if (seen.sent > before) reads.set(seen.stream.id, reads.get(seen.stream.id)! + 1);
    }
    pair.flush('client');
    pair.deliver('client', 90_000);
    for (const seen of pair.streams.server.values()) seen.accept();
    pair.nowMs += 1;
    pair.flush('server');
    pair.deliver('server');
  }
  const counts = [...reads.values()];
  expect(Math.min(...counts)).toBeGreaterThan(10);
  expect(Math.max(...counts) / Math.min(...counts)).toBeLessThan(2);
});

describe('a carrier that dies', () => {
  /** A short script with every kind of frame; its carrier dies after `upTo` bytes one way. */
  const script = (die: { side: Side; after: number } | undefined): MuxPair => {
    const pair = new MuxPair();
    pair.open();
    pair.send('client', 1, 300, 'copy');
    pair.open();
    pair.flush('client');
    if (die?.side === 'client') {
      pair.deliver('client', die.after);
      pair.cut();
    }
    pair.settle();
    pair.streams.server.get(1)!.stream.accept(new Uint8Array(4));
    pair.streams.server.get(3)!.stream.refuse({ code: 20, reason: 'refused' });
    pair.send('server', 1, 5_000, 'view');
    pair.send('server', 1, 5_000, 'buffer');
    pair.finish('server', 1);
    pair.flush('server');
    if (die?.side === 'server') {
      pair.deliver('server', die.after);
      pair.cut();
    }
    pair.settle();
    pair.finish('client', 1);
    pair.settle();
    return pair;
  };
  const outcome = (pair: MuxPair) =>
    (['client', 'server'] as const).map((side) =>
      [...pair.streams[side].values()].map(({ received, ended, over, code, overs, openedBy }) => ({
        received,
        ended,
        over,
        code,
        overs,
        openedBy,
      })),
    );

  test('at any byte, either way, changes nothing for the streams', () => {
    const expected = outcome(script(undefined));
    for (const [side, most] of [
      ['client', 360],
      ['server', 10_100],
    ] as const)
      for (let after = 0; after <= most; after += after > 400 && after < 9_700 ? 37 : 1)
        expect([side, after, outcome(script({ side, after }))]).toEqual([side, after, expected]);
  });

  test(
    'at random, again and again, among random operations: bytes in order and complete, each stream ends once, ' +
      'memory bounded',
    () => {
      fc.assert(muxProperty(), { numRuns: 1_500 });
    },
  );
});

describe('frames of unknown unsequenced types', () => {
  const unknown = (length: number): Uint8Array => encodeFrame(0x90, 0, new Uint8Array(length));

  test('are skipped, also many of them over time', () => {
    const pair = new MuxPair();

    for (let second = 0; second < 3_600; second++) {
      pair.nowMs += 1_000;
      for (let n = 0; n < 64; n++) pair.ends.server.first.receive(unknown(960));
    }

    pair.open();
    pair.settle();
    expect(pair.streams.server.size).toBe(1);
  });

  test.each([
    ['large', 16_384, 63],
    ['empty', 0, 16_384],
  ])('end the session when they are too many at once: %s ones', (_, length, allowed) => {
    const pair = new MuxPair();

    for (let n = 0; n < allowed; n++) pair.ends.server.first.receive(unknown(length));

    expect(() => pair.ends.server.first.receive(unknown(length))).toThrow(
      expect.objectContaining({ code: wireCode.excessive, message: expect.stringContaining('type 144') }),
    );
  });
});
