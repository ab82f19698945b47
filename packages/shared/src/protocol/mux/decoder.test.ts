import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ProtocolFault } from '../refusal.ts';
import { FrameDecoder } from './decoder.ts';
import { encodeFrame, frameType, headerBytes, isSequenced } from './frame.ts';

type Seen = [kind: 'data' | 'control', type: number, stream: number, hex: string];

/** What a decoder tells of some chunks, with neighbouring DATA of one stream joined: splits do not show. */
function decode(chunks: readonly Uint8Array[]): { seen: Seen[]; decoder: FrameDecoder } {
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
  for (const chunk of chunks) decoder.receive(chunk);
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
