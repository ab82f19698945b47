/**
 * HELLO, WELCOME and REFUSE: the one exchange that binds a session to a carrier.
 * Rule: each is the first frame of its direction. Decoding checks every field before anything is believed. The binder
 * is verified by whoever holds the keys.
 * Byte shape: HELLO MAGIC(8) VER_MIN(1) VER_MAX(1) KIND(1) LANE(1) FEATURES(4) SESSION(16) EPOCH(4) OFFSET(8)
 * PARTIAL(4) WINDOW(4) MAX_STREAMS(4) TLVS(n) BINDER(32). WELCOME VER(1) KIND(1) LANE(1) LANES(1) FEATURES(4)
 * SESSION(16) EPOCH(4) OFFSET(8) PARTIAL(4) WINDOW(4) MAX_STREAMS(4) TTL_S(4) TLVS(n) BINDER(32).
 * Spec: docs/protocol.md section 3.3.
 */
import { concat, copyOf, putU32, putU64, text, u24, u32, u64, utf8 } from './bytes.ts';
import type { Handshake, Step } from './handshake.ts';
import { encodeFrame, frameType, headerBytes, maxLanes } from './mux/frame.ts';
import type { Position } from './mux/lane.ts';
import { minWindowBytes } from './mux/window.ts';
import { decodeRefuse, ProtocolFault, type Refuse } from './refusal.ts';
import { critical, decodeTlvs, encodeTlvs } from './tlv.ts';

export const version = 1;
export const helloKind = { new: 0, lane: 1, resume: 2 } as const;
export type HelloKind = keyof typeof helloKind;
export const feature = { resume: 1, lanes: 2 } as const;
export const binderBytes = 32;
export const sessionIdBytes = 16;

interface Shared {
  readonly kind: HelloKind;
  /** The lane that the carrier is for; 0 unless the kind is `lane`. */
  readonly lane: number;
  readonly features: number;
  readonly sessionId: Uint8Array;
  readonly epoch: number;
  readonly position: Position;
  /** The credit that the other side starts with on each stream. */
  readonly window: number;
  readonly maxStreams: number;
  /** Software name and version, for the logs. */
  readonly agent: string;
}
export interface Hello extends Shared {
  readonly versions: { readonly min: number; readonly max: number };
}
export interface Welcome extends Shared {
  readonly version: number;
  /** How many lanes the session may have, with lane 0. */
  readonly lanes: number;
  readonly resumeTtlS: number;
  readonly instance: string;
}

/** A decoded HELLO or WELCOME with what its binder covers. */
export interface Bound<T> {
  readonly value: T;
  readonly covered: Uint8Array;
  readonly binder: Uint8Array;
}

const magic = Uint8Array.of(0x41, 0x44, 0x49, 0x54, 0x0d, 0x0a, 0x00, 0x01); // "ADIT\r\n\0\1"
const tlv = { agent: 0x0001, instance: 0x0002 } as const;
const kinds: readonly (HelloKind | undefined)[] = ['new', 'lane', 'resume'];
const sharedBytes = 48;
const maxHelloBytes = 2048;

/** The payload without its binder. */
export function encodeHello(hello: Hello): Uint8Array {
  const head = Uint8Array.of(...magic, hello.versions.min, hello.versions.max, helloKind[hello.kind], hello.lane);
  return concat([head, encodeShared(hello), encodeTlvs([[tlv.agent, utf8(hello.agent)]])]);
}

export function encodeWelcome(welcome: Welcome): Uint8Array {
  const head = Uint8Array.of(welcome.version, helloKind[welcome.kind], welcome.lane, welcome.lanes);
  const ttl = new Uint8Array(4);
  putU32(ttl, 0, welcome.resumeTtlS);
  return concat([
    head,
    encodeShared(welcome),
    ttl,
    encodeTlvs([
      [tlv.agent, utf8(welcome.agent)],
      [tlv.instance, utf8(welcome.instance)],
    ]),
  ]);
}

/** The whole frame: payload and binder. */
export function helloFrame(covered: Uint8Array, binder: Uint8Array): Uint8Array {
  return encodeFrame(frameType.hello, 0, concat([covered, binder]));
}
export function welcomeFrame(covered: Uint8Array, binder: Uint8Array): Uint8Array {
  return encodeFrame(frameType.welcome, 0, concat([covered, binder]));
}

export function decodeHello(payload: Uint8Array): Bound<Hello> {
  const fixed = magic.length + 4 + sharedBytes;
  check(payload.length >= fixed + binderBytes, 'a HELLO that is too short');
  check(
    magic.every((byte, at) => payload[at] === byte),
    'not an Adit HELLO',
  );
  const at = magic.length;
  const { covered, binder, entries } = split(payload, fixed);
  return {
    covered,
    binder,
    value: {
      versions: { min: payload[at]!, max: payload[at + 1]! },
      ...decodeShared(payload, at + 4, { kind: payload[at + 2]!, lane: payload[at + 3]! }),
      agent: named(entries, tlv.agent),
    },
  };
}

export function decodeWelcome(payload: Uint8Array): Bound<Welcome> {
  const fixed = 4 + sharedBytes + 4;
  check(payload.length >= fixed + binderBytes, 'a WELCOME that is too short');
  const { covered, binder, entries } = split(payload, fixed);
  return {
    covered,
    binder,
    value: {
      version: payload[0]!,
      ...decodeShared(payload, 4, { kind: payload[1]!, lane: payload[2]! }),
      lanes: Math.max(1, payload[3]!),
      resumeTtlS: u32(payload, 4 + sharedBytes),
      agent: named(entries, tlv.agent),
      instance: named(entries, tlv.instance),
    },
  };
}

/** Reads exactly one frame: HELLO, WELCOME or REFUSE, as the caller expects. */
export class FirstFrame<T> implements Handshake<T> {
  readonly #decoders: Readonly<Record<number, (payload: Uint8Array) => T>>;
  #seen: Uint8Array = new Uint8Array(0);
  constructor(decoders: Readonly<Record<number, (payload: Uint8Array) => T>>) {
    this.#decoders = decoders;
  }

  receive(chunk: Uint8Array): Step<T> {
    this.#seen = this.#seen.length === 0 ? chunk : concat([this.#seen, chunk]);
    const decode = this.#seen.length === 0 ? undefined : this.#decoders[this.#seen[0]!];
    if (this.#seen.length > 0 && decode === undefined)
      return { state: 'failed', reason: 'the peer does not speak adit/1' };
    if (this.#seen.length < headerBytes) return { state: 'more' };
    const length = u24(this.#seen, 1);
    if (length > maxHelloBytes || u32(this.#seen, 4) !== 0)
      return { state: 'failed', reason: 'the peer does not speak adit/1' };
    if (this.#seen.length < headerBytes + length) return { state: 'more' };
    try {
      return {
        state: 'done',
        value: decode!(this.#seen.subarray(headerBytes, headerBytes + length)),
        rest: this.#seen.subarray(headerBytes + length),
      };
    } catch (error) {
      if (error instanceof ProtocolFault) return { state: 'failed', reason: error.message };
      throw error;
    }
  }
}

export type Answer =
  | { readonly kind: 'welcome'; readonly welcome: Bound<Welcome> }
  | { readonly kind: 'refuse'; readonly refuse: Refuse };

/** For the egress: awaits HELLO. */
export function awaitHello(): Handshake<Bound<Hello>> {
  return new FirstFrame({ [frameType.hello]: decodeHello });
}
/** For the ingress: awaits WELCOME or REFUSE. */
export function awaitAnswer(): Handshake<Answer> {
  return new FirstFrame<Answer>({
    [frameType.welcome]: (payload) => ({ kind: 'welcome', welcome: decodeWelcome(payload) }),
    [frameType.refuse]: (payload) => ({ kind: 'refuse', refuse: decodeRefuse(payload) }),
  });
}

function encodeShared(shared: Shared): Uint8Array {
  const out = new Uint8Array(sharedBytes);
  putU32(out, 0, shared.features);
  out.set(shared.sessionId, 4);
  putU32(out, 20, shared.epoch);
  putU64(out, 24, shared.position.offset);
  putU32(out, 32, shared.position.partial);
  putU32(out, 36, shared.window);
  putU32(out, 40, shared.maxStreams);
  return out;
}

function decodeShared(
  bytes: Uint8Array,
  at: number,
  { kind, lane }: { readonly kind: number; readonly lane: number },
): Omit<Shared, 'agent'> {
  const name = kinds[kind];
  check(name !== undefined, `kind ${kind} of attachment`);
  check(name === 'lane' ? lane > 0 && lane < maxLanes : lane === 0, `lane ${lane} in an attachment of kind ${kind}`);
  const offset = u64(bytes, at + 24);
  const window = u32(bytes, at + 36);
  check(Number.isSafeInteger(offset), 'an offset above 2^53');
  check(window >= minWindowBytes && window <= 0x7fff_ffff, `a window of ${window} bytes`);
  return {
    kind: name!,
    lane,
    features: u32(bytes, at),
    sessionId: copyOf(bytes.subarray(at + 4, at + 20)),
    epoch: u32(bytes, at + 20),
    position: { offset, partial: u32(bytes, at + 32) },
    window,
    maxStreams: u32(bytes, at + 40),
  };
}

function split(
  payload: Uint8Array,
  fixed: number,
): { covered: Uint8Array; binder: Uint8Array; entries: Map<number, Uint8Array> } {
  const end = payload.length - binderBytes;
  const entries = decodeTlvs(payload.subarray(fixed, end));
  for (const type of entries.keys()) check(type < critical, `option ${type.toString(16)}, which is not known here`);
  return { covered: copyOf(payload.subarray(0, end)), binder: copyOf(payload.subarray(end)), entries };
}

function named(entries: Map<number, Uint8Array>, type: number): string {
  return text((entries.get(type) ?? new Uint8Array(0)).subarray(0, 64));
}

function check(holds: boolean, complaint: string): void {
  if (!holds) throw new ProtocolFault(1, complaint);
}
