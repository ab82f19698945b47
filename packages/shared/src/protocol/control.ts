/**
 * The protocol between `adit connect` and a running ingress over the control socket: one request, one answer, then the
 * bytes of one stream.
 * Byte shape: TYPE(1) LENGTH(2) PAYLOAD(LENGTH). Request: VERSION(1) DESTINATION. Accepted: empty. Data: bytes. End:
 * empty; no data follows from this side. Reset: CODE, optionally SP and the reason; it also answers a request, and ends
 * both directions.
 * Rule: a connection that ends without End or Reset was cut. A Unix socket has no reset, and a process that is killed
 * must not look like a complete stream. The bytes of an incomplete frame are bounded; data is passed on as it arrives.
 * Not here: who may connect (the mode of the socket decides), sockets.
 */
import { concat, copyOf, putU16, text, u16, utf8AtMost } from './bytes.ts';
import type { Handshake, Step } from './handshake.ts';

export type ControlEvent =
  | { readonly type: 'data'; readonly bytes: Uint8Array }
  | { readonly type: 'end' }
  | { readonly type: 'reset'; readonly code: string; readonly reason: string };

/** Request and answer are at most this long, header included. */
export const maxControlBytes = 1_024;
const version = 1;
const kind = { request: 1, accepted: 2, data: 3, end: 4, reset: 5 } as const;
const headerBytes = 3;
const maxDataBytes = 0xffff;
const maxReasonBytes = 512;
const nothing = new Uint8Array(0);

/** A request; `destination` is as a user writes it. */
export function controlRequest(destination: string): Uint8Array {
  return frame(
    kind.request,
    concat([Uint8Array.of(version), utf8AtMost(destination, maxControlBytes - headerBytes - 1)]),
  );
}
export const controlAccepted: Uint8Array = frame(kind.accepted, nothing);
export const controlEnd: Uint8Array = frame(kind.end, nothing);
export function controlReset(code: string, reason: string): Uint8Array {
  return frame(kind.reset, utf8AtMost(reason === '' ? code : `${code} ${reason}`, maxReasonBytes));
}

/** Headers and pieces of the bytes, alternating, to be written in order. */
export function controlData(bytes: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += maxDataBytes) {
    const piece = bytes.subarray(at, at + maxDataBytes);
    parts.push(header(kind.data, piece.length), piece);
  }
  return parts;
}

function header(type: number, length: number): Uint8Array {
  const bytes = new Uint8Array(headerBytes);
  bytes[0] = type;
  putU16(bytes, 1, length);
  return bytes;
}

function frame(type: number, payload: Uint8Array): Uint8Array {
  return concat([header(type, payload.length), payload]);
}

/** For the ingress: awaits the request and returns its destination as text. */
export function awaitControlRequest(): Handshake<string> {
  return oneFrame((type, payload) => {
    if (type !== kind.request) return 'it does not begin with a request of "adit connect"';
    if (payload[0] !== version)
      return (
        `version ${payload[0] ?? 'none'} of the control socket, and this is ${version}: the two programs are of ` +
        'different releases'
      );
    return { value: text(payload.subarray(1)) };
  });
}

/** For `adit connect`: awaits the answer; undefined means accepted. */
export function awaitControlAnswer(): Handshake<{ readonly code: string; readonly reason: string } | undefined> {
  return oneFrame((type, payload) => {
    if (type === kind.accepted && payload.length === 0) return { value: undefined };
    return type === kind.reset ? { value: refusalOf(payload) } : 'something that is not an answer of an ingress';
  });
}

/** Reads one frame. `read` returns what it means, or what is wrong with it. */
function oneFrame<T>(read: (type: number, payload: Uint8Array) => { readonly value: T } | string): Handshake<T> {
  let seen: Uint8Array = nothing;
  return {
    receive(chunk): Step<T> {
      seen = seen.length === 0 ? chunk : concat([seen, chunk]);
      const type = seen[0];
      if (type !== undefined && (type < kind.request || type > kind.reset))
        return { state: 'failed', reason: `a first byte of ${type}` };
      if (seen.length < headerBytes) return { state: 'more' };
      const end = headerBytes + u16(seen, 1);
      if (end > maxControlBytes) return { state: 'failed', reason: `a frame of ${end} bytes` };
      if (seen.length < end) return { state: 'more' };
      const result = read(type!, seen.subarray(headerBytes, end));
      return typeof result === 'string'
        ? { state: 'failed', reason: result }
        : { state: 'done', value: result.value, rest: seen.subarray(end) };
    },
  };
}

function refusalOf(payload: Uint8Array): { readonly code: string; readonly reason: string } {
  const [, code = '', reason = ''] = /^(\S*) ?([^]*)$/.exec(text(payload)) ?? [];
  return { code, reason };
}

/** Reads everything that one side sends after request and answer. */
export class ControlReader {
  #held: Uint8Array = nothing;
  /** Bytes of the current data frame that have not arrived. */
  #left = 0;
  #over = false;
  #fault: string | undefined;

  /** Why the bytes are not of this protocol; the reader stops then. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** The events of a chunk, in order; data are views of the chunk. */
  receive(chunk: Uint8Array): ControlEvent[] {
    const events: ControlEvent[] = [];
    let bytes = this.#held.length === 0 ? chunk : concat([this.#held, chunk]);
    this.#held = nothing;
    while (bytes.length > 0 && this.#fault === undefined) {
      if (this.#left > 0) {
        const data = bytes.subarray(0, this.#left);
        this.#left -= data.length;
        events.push({ type: 'data', bytes: data });
        bytes = bytes.subarray(data.length);
        continue;
      }
      const rest = this.#frame(bytes, events);
      if (rest === undefined) {
        this.#held = copyOf(bytes);
        break;
      }
      bytes = rest;
    }
    return events;
  }

  /** Reads the frame that begins here, for data only its header; undefined while it is incomplete. */
  #frame(bytes: Uint8Array, events: ControlEvent[]): Uint8Array | undefined {
    const type = bytes[0]!;
    if (this.#over) return this.#fail('bytes after the end');
    if (type !== kind.data && type !== kind.end && type !== kind.reset) return this.#fail(`a frame of type ${type}`);
    if (bytes.length < headerBytes) return undefined;
    const length = u16(bytes, 1);
    if (type === kind.data) {
      this.#left = length;
      return bytes.subarray(headerBytes);
    }
    if (length > (type === kind.end ? 0 : maxReasonBytes))
      return this.#fail(`a frame of type ${type} with ${length} bytes`);
    if (bytes.length < headerBytes + length) return undefined;
    this.#over = true;
    events.push(
      type === kind.end
        ? { type: 'end' }
        : { type: 'reset', ...refusalOf(bytes.subarray(headerBytes, headerBytes + length)) },
    );
    return bytes.subarray(headerBytes + length);
  }

  #fail(reason: string): Uint8Array {
    this.#fault = reason;
    return nothing;
  }
}
