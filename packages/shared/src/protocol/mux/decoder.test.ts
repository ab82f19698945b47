import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ProtocolFault } from '../refusal.ts';
import { costOf, FrameDecoder, type ParseBudget } from './decoder.ts';
import { encodeFrame, frameType, headerBytes, isSequenced } from './frame.ts';

type Seen = [kind: 'data' | 'control', type: number, stream: number, hex: string];

/**
 * What a decoder tells of some chunks, with neighbouring DATA of one stream joined: splits do not show. It parses each
 * chunk in as many turns as a budget needs.
 */
function decode(
  chunks: readonly Uint8Array[],
  budget = (): ParseBudget | undefined => undefined,
): { seen: Seen[]; decoder: FrameDecoder } {
  const seen: Seen[] = [];
  const decoder = new FrameDecoder({
    data: (stream, bytes) => {
      const last = seen.at(-1);
      if (last?.[0] === 'data' && last[2] === stream) last[3] += Buffer.from(bytes).toString('hex');
      else seen.push(['data', 0, stream, Buffer.from(bytes).toString('hex')]);
    },
    control: (type, stream, payload) => {
      seen.push(['control', type, stream, Buffer.from(payload).toString('hex')]);
    },
  });
  for (const chunk of chunks) for (let at = 0; at < chunk.length;) at += decoder.receive(chunk.subarray(at), budget());
  return { seen, decoder };
}

const frame = fc
  .tuple(
    fc.constantFrom(0x00, 0x01, 0x04, 0x05, 0x06, 0x80, 0x81, 0x8f),
    fc.nat(1_000),
    fc.uint8Array({ minLength: 1, maxLength: 60 }),
  )
  .map(([type, stream, payload]) => encodeFrame(type, stream, payload));

function split(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...places]
    .map((from, n) => bytes.subarray(from, places[n] ?? bytes.length))
    .filter(({ length }) => length > 0);
}

describe('any split of the same bytes', () => {
  test('gives the same frames and the same offset', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 8 }), fc.array(fc.nat(), { maxLength: 12 }), (frames, cuts) => {
        const bytes = Buffer.concat(frames);
        const [whole, parts] = [decode([bytes]), decode(split(bytes, cuts))];
        expect(parts.seen).toEqual(whole.seen);
        expect(parts.decoder.offset).toBe(whole.decoder.offset);
        expect(whole.decoder.offset).toBe(
          frames.filter((one) => isSequenced(one[0]!)).reduce((sum, { length }) => sum + length, 0),
        );
      }),
    );
  });
});

describe('a budget', () => {
  test('spreads the same frames over turns, whatever it is, and each turn parses at least something', () => {
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 8 }),
        fc.array(fc.nat(), { maxLength: 6 }),
        fc.record({ frames: fc.integer({ min: 1, max: 200 }), bytes: fc.integer({ min: 1, max: 100 }) }),
        (frames, cuts, perTurn) => {
          const bytes = Buffer.concat(frames);
          const [whole, parts] = [decode([bytes]), decode(split(bytes, cuts), () => ({ ...perTurn }))];
          expect(parts.seen).toEqual(whole.seen);
          expect([parts.decoder.offset, parts.decoder.partial]).toEqual([whole.decoder.offset, 0]);
        },
      ),
    );
  });

  test('is spent by the bytes and the cost of what was parsed, and passed by one frame at most', () => {
    const opens = Buffer.concat(Array.from({ length: 10 }, (_, n) => encodeFrame(frameType.open, n, Buffer.alloc(4))));
    const budget = { frames: 3 * costOf(frameType.open) - 1, bytes: 1_000 };
    const { decoder } = decode([]);
    const parsed = decoder.receive(opens, budget);
    // the header of the third was parsed; its payload belongs to the next turn
    expect([parsed, budget]).toEqual([2 * 12 + headerBytes, { frames: -1, bytes: 1_000 - parsed }]);
    expect(decoder.receive(opens.subarray(parsed), budget)).toBe(0);
  });

  test('of a decoder that was stopped is no matter: the chunk is done', () => {
    const { decoder } = decode([]);
    decoder.stop();
    expect(decoder.receive(new Uint8Array(5), { frames: 0, bytes: 0 })).toBe(5);
  });
});

describe('the place where a carrier died', () => {
  test('is said so that the rest, sent again from there, gives the same frames', () => {
    fc.assert(
      fc.property(fc.array(frame, { minLength: 1, maxLength: 6 }), fc.nat(), (frames, at) => {
        const bytes = Buffer.concat(frames);
        const cut = at % (bytes.length + 1);
        const whole = decode([bytes]).seen.filter(([, type]) => isSequenced(type));
        const { seen, decoder } = decode([bytes.subarray(0, cut)]);
        decoder.detach();
        decoder.receive(Uint8Array.of(1, 2, 3)); // of the dead carrier: must not be parsed
        decoder.start();
        // What the peer keeps is the sequenced bytes only.
        decoder.receive(Buffer.concat(frames.filter((one) => isSequenced(one[0]!))).subarray(decoder.offset));
        const joined = seen.filter(([, type]) => isSequenced(type));
        expect(joined.map(([, , , hex]) => hex).join('')).toBe(whole.map(([, , , hex]) => hex).join(''));
      }),
    );
  });

  test('counts a DATA header as parsed and says how much of its payload is missing', () => {
    const { decoder } = decode([encodeFrame(frameType.data, 1, new Uint8Array(10)).subarray(0, headerBytes + 4)]);
    expect([decoder.offset, decoder.partial]).toEqual([headerBytes + 4, 6]);
  });
});

test('random bytes throw ProtocolFault or nothing', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 5 }), (chunks) => {
      try {
        decode(chunks);
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolFault);
      }
    }),
    { numRuns: 1_000 },
  );
});

test.each([
  ['DATA of 65,529 bytes', '00 00fff9 00000001'],
  ['a control frame of 16,385 bytes', '06 004001 00000001'],
  ['an empty DATA frame', '00 000000 00000001'],
])('%s is refused at its header', (_what, hex) => {
  expect(() => decode([Buffer.from(hex.replaceAll(' ', ''), 'hex')])).toThrow(ProtocolFault);
});
