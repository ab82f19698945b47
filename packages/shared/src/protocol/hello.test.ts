import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { concat } from './bytes.ts';
import {
  awaitAnswer,
  awaitHello,
  decodeHello,
  decodeWelcome,
  encodeHello,
  encodeWelcome,
  helloFrame,
  welcomeFrame,
  type Hello,
  type Welcome,
} from './hello.ts';
import { encodeFrame, frameType, headerBytes } from './mux/frame.ts';
import { encodeRefuse, ProtocolFault } from './refusal.ts';

const shared = fc.record({
  features: fc.nat(0xffffffff),
  sessionId: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  epoch: fc.nat(0xffffffff),
  position: fc.record({ offset: fc.maxSafeNat(), partial: fc.nat(65_528) }),
  window: fc.integer({ min: 262_144, max: 0x7fffffff }),
  maxStreams: fc.nat(0xffffffff),
  agent: fc.stringMatching(/^[a-z/.0-9]{0,40}$/),
});
const kind = fc.oneof(
  fc.record({ kind: fc.constantFrom('new' as const, 'resume' as const), lane: fc.constant(0) }),
  fc.record({ kind: fc.constant('lane' as const), lane: fc.integer({ min: 1, max: 7 }) }),
);
const hello: fc.Arbitrary<Hello> = fc
  .tuple(shared, kind, fc.nat(255), fc.nat(255))
  .map(([one, what, min, max]) => ({ ...one, ...what, versions: { min, max } }));
const welcome: fc.Arbitrary<Welcome> = fc
  .tuple(shared, kind, fc.nat(255), fc.integer({ min: 1, max: 8 }), fc.nat(0xffffffff))
  .map(([one, what, version, lanes, resumeTtlS]) => ({
    ...one,
    ...what,
    version,
    lanes,
    resumeTtlS,
    instance: 'egress-1',
  }));
const binder = new Uint8Array(32).fill(7);

test('HELLO and WELCOME come back with what their binder covers', () => {
  fc.assert(
    fc.property(hello, welcome, (one, other) => {
      const [covered, coveredToo] = [encodeHello(one), encodeWelcome(other)];
      expect(decodeHello(concat([covered, binder]))).toEqual({ value: one, covered, binder });
      expect(decodeWelcome(concat([coveredToo, binder]))).toEqual({ value: other, covered: coveredToo, binder });
    }),
  );
});

test('HELLO begins with its magic, then versions, kind and lane', () => {
  const bytes = encodeHello({
    versions: { min: 1, max: 1 },
    kind: 'resume',
    lane: 0,
    features: 1,
    sessionId: new Uint8Array(16),
    epoch: 1,
    position: { offset: 0, partial: 0 },
    window: 262_144,
    maxStreams: 0,
    agent: '',
  });
  expect(Buffer.from(bytes.subarray(0, 16)).toString('hex')).toBe('414449540d0a00010101020000000001');
});

describe('the first frame', () => {
  const valid = helloFrame(
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
      agent: 'x',
    }),
    binder,
  );

  test('is found at any split, and what follows is left alone', () => {
    for (let cut = 0; cut <= valid.length; cut++) {
      const handshake = awaitHello();
      const first = handshake.receive(valid.subarray(0, cut));
      const step =
        first.state === 'more' ? handshake.receive(concat([valid.subarray(cut), Uint8Array.of(1, 2, 3)])) : first;
      expect([cut, step.state, step.state === 'done' && [...step.rest]]).toEqual([
        cut,
        'done',
        cut === valid.length ? [] : [1, 2, 3],
      ]);
    }
  });

  test('of anything else fails at its first byte', () => {
    for (const text of ['GET / HTTP/1.1\r\n', 'SSH-2.0-x\r\n', '\x16\x03\x01'])
      expect(awaitHello().receive(Buffer.from(text)).state).toBe('failed');
  });

  test('that claims to be huge fails before it is collected', () =>
    expect(awaitHello().receive(Uint8Array.of(frameType.hello, 0x7f, 0, 0, 0, 0, 0, 0)).state).toBe('failed'));

  test('may be a REFUSE for an ingress, with its reason', () => {
    const step = awaitAnswer().receive(
      encodeFrame(frameType.refuse, 0, encodeRefuse({ code: 37, reason: 'revoked', retryAfterMs: 5 })),
    );
    expect(step).toMatchObject({
      state: 'done',
      value: { kind: 'refuse', refuse: { code: 37, reason: 'revoked', retryAfterMs: 5 } },
    });
  });

  test('with any byte changed is decoded, refused, or waited for, and never throws', () => {
    fc.assert(
      fc.property(fc.nat(valid.length - 1), fc.nat(255), (at, byte) => {
        const damaged = valid.slice();
        damaged[at] = byte;
        expect(['done', 'more', 'failed']).toContain(awaitHello().receive(damaged).state);
      }),
    );
  });
});

test.each([
  ['a window below the least', 48, [0, 0, 1, 0]],
  ['an offset above 2^53', 36, [0xff, 0, 0, 0]],
  ['another kind', 10, [9]],
  ['another lane', 11, [1]],
  ['another magic', 0, [0]],
])('%s is refused', (_what, at, bytes) => {
  const covered = encodeHello({
    versions: { min: 1, max: 1 },
    kind: 'new',
    lane: 0,
    features: 1,
    sessionId: new Uint8Array(16),
    epoch: 0,
    position: { offset: 0, partial: 0 },
    window: 262_144,
    maxStreams: 0,
    agent: '',
  });
  covered.set(bytes, at);
  expect(() => decodeHello(concat([covered, binder]))).toThrow(ProtocolFault);
});

test('a critical option that nobody knows is refused, any other one is skipped', () => {
  const covered = encodeHello({
    versions: { min: 1, max: 1 },
    kind: 'new',
    lane: 0,
    features: 1,
    sessionId: new Uint8Array(16),
    epoch: 0,
    position: { offset: 0, partial: 0 },
    window: 262_144,
    maxStreams: 0,
    agent: 'x',
  });
  expect(decodeHello(concat([covered, Uint8Array.of(0x00, 0x77, 0, 1, 5), binder])).value.agent).toBe('x');
  expect(() => decodeHello(concat([covered, Uint8Array.of(0x80, 0x77, 0, 0), binder]))).toThrow(ProtocolFault);
});

test.each([
  ['a new session on lane 1', 0, 1],
  ['a resume of lane 1', 2, 1],
  ['a further lane that is lane 0', 1, 0],
  ['a further lane beyond the eighth', 1, 8],
  ['a kind that nobody knows', 3, 0],
])('HELLO for %s is a fault', (_what, kind, lane) => {
  const bytes = helloFrame(
    encodeHello({
      versions: { min: 1, max: 1 },
      kind: 'new',
      lane: 0,
      features: 3,
      sessionId: new Uint8Array(16),
      epoch: 0,
      position: { offset: 0, partial: 0 },
      window: 262_144,
      maxStreams: 0,
      agent: 'x',
    }),
    binder,
  ).subarray(headerBytes);
  bytes[10] = kind;
  bytes[11] = lane;
  expect(() => decodeHello(bytes)).toThrow(ProtocolFault);
});

test('WELCOME that is cut short is a fault', () => {
  const frame = welcomeFrame(
    encodeWelcome({
      version: 1,
      kind: 'new',
      lane: 0,
      lanes: 1,
      features: 1,
      sessionId: new Uint8Array(16),
      epoch: 0,
      position: { offset: 0, partial: 0 },
      window: 262_144,
      maxStreams: 1,
      resumeTtlS: 1,
      agent: '',
      instance: '',
    }),
    binder,
  );
  for (let length = headerBytes; length < frame.length; length++) {
    try {
      decodeWelcome(frame.subarray(headerBytes, length));
    } catch (error) {
      expect(error).toBeInstanceOf(ProtocolFault);
    }
  }
});
