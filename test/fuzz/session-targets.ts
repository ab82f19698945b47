/** Targets inside a session: frames, HELLO and OPEN, and whole sessions with what carries them. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { concat } from '../../packages/shared/src/protocol/bytes.ts';
import { decodeClient, encodeClient } from '../../packages/shared/src/protocol/client-address.ts';
import { awaitAnswer, awaitHello, encodeHello, helloFrame } from '../../packages/shared/src/protocol/hello.ts';
import { FrameDecoder, type ParseBudget } from '../../packages/shared/src/protocol/mux/decoder.ts';
import { encodeFrame } from '../../packages/shared/src/protocol/mux/frame.ts';
import { decodeOpen, encodeOpen } from '../../packages/shared/src/protocol/open.ts';
import { ProtocolFault } from '../../packages/shared/src/protocol/refusal.ts';
import { decodeTlvs } from '../../packages/shared/src/protocol/tlv.ts';
import { gatherProperty } from '../support/gather-property.ts';
import { lookUpsProperty } from '../support/look-ups-property.ts';
import { lanesProperty } from '../support/mux-lanes-property.ts';
import { muxProperty } from '../support/mux-property.ts';
import { transferProperty } from '../support/mux-transfer.ts';
import { bytes, damaged, mayThrow, splitAt, type Target } from './input.ts';

/** Frames of known and unknown types, now and then with a few bytes of nonsense among them. */
const frames = fc
  .array(
    fc.oneof(
      {
        weight: 9,
        arbitrary: fc
          .tuple(fc.constantFrom(0, 1, 2, 5, 6, 0x1f, 0x80, 0x81, 0x8f), fc.nat(3), fc.uint8Array({ maxLength: 60 }))
          .map(([type, id, payload]) => encodeFrame(type, id, payload)),
      },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 9 }) },
    ),
    { maxLength: 8 },
  )
  .map(concat);

const hello = helloFrame(
  encodeHello({
    versions: { min: 1, max: 1 },
    kind: 'new',
    lane: 0,
    features: 1,
    sessionId: new Uint8Array(16),
    epoch: 0,
    position: { offset: 0, partial: 0 },
    window: 262_144,
    maxStreams: 0,
    agent: 'fuzz',
  }),
  new Uint8Array(32),
);

const open = encodeOpen({
  destination: { kind: 'host', host: 'db.internal', port: 5432 },
  frontEnd: 'forward',
  client: { host: '127.0.0.1', port: 1 },
});

/** As they are written now, and as text, which 0.1.0 wrote. */
const clients = [
  encodeClient({ host: '192.0.2.7', port: 51_514 }),
  encodeClient({ host: '2001:db8::7', port: 51_514 }),
  encodeClient('local'),
  Buffer.from('[2001:db8::7]:51514'),
];

const budget = fc.record({ frames: fc.integer({ min: 1, max: 200 }), bytes: fc.integer({ min: 1, max: 400 }) });

/** In the order in which an egress meets them. */
export const sessionTargets: readonly Target[] = [
  {
    name: 'decoder',
    share: 1,
    property: () =>
      fc.property(fc.oneof(bytes, frames), fc.array(fc.nat(300), { maxLength: 6 }), budget, (stream, cuts, perTurn) => {
        const [whole, pieces] = [decoded([stream]), decoded(splitAt(stream, cuts))];
        assert.deepEqual(pieces, whole, 'another split gives other events');
        assert.deepEqual(decoded([stream], perTurn), whole, 'a budget gives other events');
        assert(whole.offset <= stream.length);
      }),
  },
  {
    name: 'hello',
    share: 1,
    property: () =>
      fc.property(fc.oneof(bytes, damaged(hello)), fc.nat(200), (frame, cut) => {
        for (const handshake of [awaitHello(), awaitAnswer()]) {
          const first = handshake.receive(frame.subarray(0, cut % (frame.length + 1)));
          if (first.state === 'more') handshake.receive(frame.subarray(cut % (frame.length + 1)));
        }
      }),
  },
  {
    name: 'open',
    share: 1,
    property: () =>
      fc.property(fc.oneof(bytes, damaged(open)), (payload) => {
        mayThrow(ProtocolFault, () => {
          const decoded = decodeOpen(payload);
          if (decoded.ok) assert.deepEqual(decodeOpen(encodeOpen(decoded.request)), decoded);
        });
      }),
  },
  {
    name: 'client-address',
    share: 1,
    property: () =>
      fc.property(fc.oneof(bytes, ...clients.map(damaged)), (written) =>
        mayThrow(ProtocolFault, () => {
          const client = decodeClient(written);
          if (client !== undefined) assert.deepEqual(decodeClient(encodeClient(client)), client);
        }),
      ),
  },
  {
    name: 'tlv',
    share: 1,
    property: () =>
      fc.property(bytes, (payload) =>
        mayThrow(ProtocolFault, () => {
          decodeTlvs(payload);
        }),
      ),
  },
  { name: 'gathered-pieces', share: 0.2, property: () => gatherProperty() },
  { name: 'look-ups', share: 0.02, property: () => lookUpsProperty() },
  { name: 'mux-transfer', share: 0.05, property: () => transferProperty() },
  { name: 'mux-pair', share: 1, property: () => muxProperty() },
  { name: 'mux-lanes', share: 1, property: () => lanesProperty() },
];

/**
 * What a decoder makes of these chunks: bytes that follow each other on one stream as one event, and the fault if there
 * was one. It is given the budget anew as often as it needs it.
 */
function decoded(
  chunks: readonly Uint8Array[],
  perTurn: ParseBudget = { frames: Infinity, bytes: Infinity },
): {
  readonly events: readonly string[];
  readonly offset: number;
  readonly fault: string;
} {
  const events: string[] = [];
  let open = '';
  const decoder = new FrameDecoder({
    data: (id, payload) => {
      if (open !== `data ${id} `) events.push((open = `data ${id} `));
      events[events.length - 1] += Buffer.from(payload).toString('hex');
    },
    control: (type, id, payload) => {
      open = '';
      events.push(`${type} ${id} ${Buffer.from(payload).toString('hex')}`);
    },
  });
  let fault = '';
  try {
    for (const chunk of chunks)
      for (let at = 0; at < chunk.length;) at += decoder.receive(chunk.subarray(at), { ...perTurn });
  } catch (error) {
    assert(error instanceof ProtocolFault, error instanceof Error ? error : String(error));
    fault = error.message;
  }
  return { events, offset: decoder.offset, fault };
}
