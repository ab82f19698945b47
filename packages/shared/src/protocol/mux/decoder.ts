/**
 * Turns the bytes of a carrier into frames. DATA is cut through: its bytes are passed on as they arrive, and no frame
 * is assembled.
 * Rule: any split of the same bytes gives the same frames. `offset` counts exactly the sequenced bytes that were
 * parsed. An incomplete header and an incomplete unsequenced frame are not counted: `detach` drops them, and the peer
 * sends them again. What a budget leaves over is for its owner to keep and to pass again.
 * Spec: docs/protocol.md sections 3.2 and 3.4.
 */
import { u24, u32 } from '../bytes.ts';
import { ProtocolFault, wireCode } from '../refusal.ts';
import { frameType, headerBytes, isSequenced, maxControlBytes, maxDataBytes } from './frame.ts';

export interface FrameSink {
  /** Some bytes of a DATA frame: a view of the carrier's chunk, valid during the call only. */
  data(streamId: number, bytes: Uint8Array): void;
  /** A whole frame that is not DATA. `payload` is valid during the call only. */
  control(type: number, streamId: number, payload: Uint8Array): void;
}

/**
 * What may be parsed before others have their turn. The decoder takes from it and stops when one of the two is used up;
 * the last frame may cost more than was left.
 */
export interface ParseBudget {
  /** In units of the cheapest frame: see `costOf`. */
  frames: number;
  bytes: number;
}

/**
 * What a frame costs the receiver, roughly: OPEN asks the policy and dials, RESET ends a dial or a connection. Measured
 * at the egress: 80 microseconds for both together, and 1 to 2 for any other.
 */
export function costOf(type: number): number {
  if (type === frameType.open) return 64;
  return type === frameType.reset ? 16 : 1;
}

export class FrameDecoder {
  /** The sequenced bytes parsed since the lane began (u64 on the wire). */
  offset: number;
  readonly #sink: FrameSink;
  readonly #header = new Uint8Array(headerBytes);
  #headerHas = 0;
  #type = 0;
  #streamId = 0;
  /** The payload bytes of the current frame that have not arrived. */
  #missing = 0;
  /** The payload of a control frame that arrives in pieces. */
  #parts: Uint8Array | undefined;
  #partsHas = 0;
  #stopped = false;
  #budget: ParseBudget = unlimited;

  constructor(sink: FrameSink, offset = 0) {
    this.#sink = sink;
    this.offset = offset;
  }

  /** The bytes missing of a sequenced frame whose header was parsed. A resume begins with them. */
  get partial(): number {
    return isSequenced(this.#type) ? this.#missing : 0;
  }

  /**
   * Stops parsing, even within the current chunk: a newer carrier has taken over, or the session has ended.
   */
  stop(): void {
    this.#stopped = true;
  }

  /** There is a new carrier: parses again. */
  start(): void {
    this.#stopped = false;
  }

  /** The carrier is gone: stops parsing, and drops what the peer will send again. */
  detach(): void {
    this.#stopped = true;
    this.#headerHas = 0;
    if (!isSequenced(this.#type)) {
      this.#missing = 0;
      this.#parts = undefined;
      this.#type = 0;
    }
  }

  /**
   * Parses a chunk as far as the budget goes. Returns how many bytes of it are done; all of them when it was stopped.
   * Throws ProtocolFault.
   */
  receive(chunk: Uint8Array, budget: ParseBudget = unlimited): number {
    this.#budget = budget;
    let at = 0;
    const end = chunk.length;
    while (at < end && !this.#stopped && budget.frames > 0 && budget.bytes > 0) {
      const before = at;
      at = this.#step(chunk, at);
      budget.bytes -= at - before;
    }
    return this.#stopped ? end : at;
  }

  /** Parses the next payload, or (a part of) the next header. Returns where it ended. */
  #step(chunk: Uint8Array, at: number): number {
    if (this.#missing > 0) return this.#payload(chunk, at);
    if (this.#headerHas === 0 && chunk.length - at >= headerBytes) {
      this.#begin(chunk, at);
      return at + headerBytes;
    }
    this.#header[this.#headerHas++] = chunk[at]!;
    if (this.#headerHas === headerBytes) {
      this.#headerHas = 0;
      this.#begin(this.#header, 0);
    }
    return at + 1;
  }

  #begin(bytes: Uint8Array, at: number): void {
    const type = bytes[at]!;
    const length = u24(bytes, at + 1);
    const limit = type === frameType.data ? maxDataBytes : maxControlBytes;
    if (length > limit)
      throw new ProtocolFault(wireCode.protocolError, `a frame of type ${type} with ${length} bytes, at most ${limit}`);
    if (type === frameType.data && length === 0) throw new ProtocolFault(wireCode.protocolError, 'an empty DATA frame');
    this.#budget.frames -= costOf(type);
    this.#type = type;
    this.#streamId = u32(bytes, at + 4);
    this.#missing = length;
    if (isSequenced(type)) this.offset += headerBytes;
    if (length === 0) this.#sink.control(type, this.#streamId, empty);
  }

  #payload(chunk: Uint8Array, at: number): number {
    const take = Math.min(this.#missing, chunk.length - at);
    const bytes = chunk.subarray(at, at + take);
    const sequenced = isSequenced(this.#type);
    if (this.#type === frameType.data) {
      this.#missing -= take;
      this.offset += take;
      this.#sink.data(this.#streamId, bytes);
      return at + take;
    }
    const whole = this.#parts === undefined && take === this.#missing ? bytes : this.#gather(bytes);
    this.#missing -= take;
    if (sequenced) this.offset += take;
    if (this.#missing === 0) {
      this.#parts = undefined;
      this.#sink.control(this.#type, this.#streamId, whole);
    }
    return at + take;
  }

  #gather(bytes: Uint8Array): Uint8Array {
    if (this.#parts === undefined) {
      this.#parts = new Uint8Array(this.#missing);
      this.#partsHas = 0;
    }
    this.#parts.set(bytes, this.#partsHas);
    this.#partsHas += bytes.length;
    return this.#parts;
  }
}

const empty = new Uint8Array(0);
const unlimited: ParseBudget = { frames: Infinity, bytes: Infinity };
