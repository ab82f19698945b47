/**
 * WebSocket frames (RFC 6455 section 5) around bytes, both ways: binary messages back to back, whose boundaries mean
 * nothing. Payload is cut through: its bytes are passed on as they arrive, and no message is assembled.
 * Byte shape: FIN(1 bit) RSV(3) OPCODE(4) MASK(1) LENGTH(7) [LENGTH(2 or 8)] [KEY(4)] PAYLOAD.
 * Rule: what section 5 forbids is a fault, and so are text and a message beyond the limits. After CLOSE nothing counts.
 * Not here: the upgrade, sockets, who answers PING.
 */
import { concat, putU16, putU64, u16, u32 } from './bytes.ts';

/** The largest message that is accepted; bytes. */
export const maxMessageBytes = 1 << 18;
/** The most frames of one message that are accepted. */
export const maxFragments = 128;
const maxControlBytes = 125;
const opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
/** Close codes of section 7.4.1. */
export const closeCode = { normal: 1000, away: 1001, protocol: 1002, text: 1003, none: 1005, tooBig: 1009 } as const;

/** The peer broke a rule; `code` is what CLOSE tells it. */
export class WebSocketFault extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export interface WebSocketSink {
  /** Some payload bytes of a binary message: a view of the chunk, valid during the call only. */
  data(bytes: Uint8Array): void;
  /** `payload` is to be answered in PONG. */
  ping(payload: Uint8Array): void;
  /** The peer closed, with this code or `closeCode.none`. */
  close(code: number): void;
}

/** Which end receives: a server gets masked frames, a client unmasked ones. */
export type WebSocketEnd = 'client' | 'server';

export class WebSocketDecoder {
  readonly #sink: WebSocketSink;
  readonly #masked: boolean;
  readonly #header = new Uint8Array(14);
  #headerHas = 0;
  /** Of the frame whose payload comes. */
  #opcode: number = opcode.continuation;
  #missing = 0;
  /** The payload of a control frame. */
  #control: Uint8Array | undefined;
  #key = 0;
  /** Payload bytes of the frame that were unmasked. */
  #unmasked = 0;
  /** Within a message: its frames and bytes so far. */
  #fragments = 0;
  #messageBytes = 0;
  #closed = false;

  constructor(sink: WebSocketSink, end: WebSocketEnd) {
    this.#sink = sink;
    this.#masked = end === 'server';
  }

  /** Parses a chunk, which is unmasked in place. Throws WebSocketFault. */
  receive(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length && !this.#closed;)
      at = this.#missing > 0 ? this.#payload(chunk, at) : this.#head(chunk, at);
  }

  /** Nothing that follows counts. */
  stop(): void {
    this.#closed = true;
  }

  /** Gathers a header. Returns where it ended. */
  #head(chunk: Uint8Array, from: number): number {
    let at = from;
    while (at < chunk.length) {
      this.#header[this.#headerHas++] = chunk[at++]!;
      if (this.#headerHas < 2 || this.#headerHas < headerBytes(this.#header[1]!)) continue;
      this.#headerHas = 0;
      this.#begin();
      break;
    }
    return at;
  }

  #begin(): void {
    const [first, second] = [this.#header[0]!, this.#header[1]!];
    const end = (first & 0x80) !== 0;
    this.#opcode = first & 0x0f;
    if ((first & 0x70) !== 0) throw fault('a reserved bit');
    if (((second & 0x80) !== 0) !== this.#masked)
      throw fault(this.#masked ? 'a frame that is not masked' : 'a masked frame');
    const length = lengthOf(this.#header);
    if (this.#opcode >= opcode.close) this.#beginControl(end, length);
    else this.#beginData(end, length);
    this.#key = this.#masked ? u32(this.#header, headerBytes(second) - 4) : 0;
    this.#unmasked = 0;
    this.#missing = length;
    if (length === 0 && this.#control) this.#controlled();
  }

  #beginControl(end: boolean, length: number): void {
    if (this.#opcode > opcode.pong) throw fault(`an opcode that there is not (${this.#opcode})`);
    if (!end) throw fault('a control frame in pieces');
    if (length > maxControlBytes) throw fault(`a control frame of ${length} bytes`);
    this.#control = new Uint8Array(length);
  }

  #beginData(end: boolean, length: number): void {
    const first = this.#fragments === 0;
    if (this.#opcode === opcode.text) throw new WebSocketFault(closeCode.text, 'it sent text');
    if (this.#opcode > opcode.binary) throw fault(`an opcode that there is not (${this.#opcode})`);
    if (first && this.#opcode === opcode.continuation) throw fault('a continuation of nothing');
    if (!first && this.#opcode === opcode.binary) throw fault('a message inside another');
    this.#messageBytes += length;
    if (this.#messageBytes > maxMessageBytes)
      throw new WebSocketFault(closeCode.tooBig, `a message with a payload of more than ${maxMessageBytes} bytes`);
    if (++this.#fragments > maxFragments)
      throw new WebSocketFault(closeCode.tooBig, `a message of more than ${maxFragments} frames`);
    if (end) this.#fragments = this.#messageBytes = 0;
  }

  #payload(chunk: Uint8Array, from: number): number {
    const bytes = chunk.subarray(from, from + this.#missing);
    if (this.#key !== 0) unmask(bytes, this.#key, this.#unmasked);
    this.#unmasked += bytes.length;
    this.#missing -= bytes.length;
    if (this.#control === undefined) this.#sink.data(bytes);
    else {
      this.#control.set(bytes, this.#unmasked - bytes.length);
      if (this.#missing === 0) this.#controlled();
    }
    return from + bytes.length;
  }

  /** A control frame is complete. */
  #controlled(): void {
    const payload = this.#control!;
    this.#control = undefined;
    if (this.#opcode === opcode.ping) this.#sink.ping(payload);
    if (this.#opcode !== opcode.close) return;
    this.#closed = true;
    if (payload.length === 1) throw fault('a close of one byte');
    const code = payload.length === 0 ? closeCode.none : u16(payload, 0);
    if (payload.length > 0 && !isCloseCode(code)) throw fault(`a close with the code ${code}`);
    this.#sink.close(code);
  }
}

/** The header of a whole binary message; that of a client says the masking key 0, which changes no byte. */
export function messageHeader(length: number, end: WebSocketEnd): Uint8Array {
  return header(opcode.binary, length, end);
}

/** A whole PONG. */
export function encodePong(payload: Uint8Array, end: WebSocketEnd): Uint8Array {
  return concat([header(opcode.pong, payload.length, end), payload]);
}

/** A whole CLOSE with a code. */
export function encodeClose(code: number, end: WebSocketEnd): Uint8Array {
  return concat([header(opcode.close, 2, end), Uint8Array.of(code >> 8, code & 0xff)]);
}

function header(code: number, length: number, end: WebSocketEnd): Uint8Array {
  const short = length < 126 ? length : length < 65_536 ? 126 : 127;
  const second = short | (end === 'client' ? 0x80 : 0);
  const bytes = new Uint8Array(headerBytes(second));
  bytes[0] = 0x80 | code;
  bytes[1] = second;
  if (short === 126) putU16(bytes, 2, length);
  if (short === 127) putU64(bytes, 2, length);
  return bytes;
}

/** The length of a header, by its second byte. */
function headerBytes(second: number): number {
  const short = second & 0x7f;
  return 2 + (short === 126 ? 2 : short === 127 ? 8 : 0) + ((second & 0x80) === 0 ? 0 : 4);
}

/** The length of the payload, which may be any: the limits are checked above. */
function lengthOf(bytes: Uint8Array): number {
  const short = bytes[1]! & 0x7f;
  if (short < 126) return short;
  return short === 126 ? u16(bytes, 2) : u32(bytes, 2) * 2 ** 32 + u32(bytes, 6);
}

/** XORs with the key, of whose four bytes `done` were passed. */
function unmask(bytes: Uint8Array, key: number, done: number): void {
  for (let at = 0; at < bytes.length; at++) bytes[at]! ^= key >>> (24 - 8 * ((done + at) & 3));
}

function isCloseCode(code: number): boolean {
  return (
    (code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006) || (code >= 3000 && code < 5000)
  );
}

function fault(what: string): WebSocketFault {
  return new WebSocketFault(closeCode.protocol, what);
}
