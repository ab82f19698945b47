/**
 * What `adit connect` and a running ingress say to each other over the control socket: one request, one answer, then
 * the bytes of one stream. TYPE(1) LENGTH(2) PAYLOAD(LENGTH). Request: VERSION(1) DESTINATION. Accepted: nothing. Data:
 * bytes. End: nothing; no data follows from this side. Reset: CODE, optionally SP and the reason; it answers a request
 * too, and ends both directions.
 * Rule: an end of the connection that no End and no Reset announced is a cut: a Unix socket knows no reset, and a
 * process that is killed must not look like a stream that is complete. What waits for its frame to be whole is bounded;
 * data is not waited for.
 * Not here: who may connect (the mode of the socket), sockets.
 */
import { concat, putU16, text, u16, utf8AtMost } from './bytes.ts';
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

/** `destination` as a user writes it. */
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

/** Headers and pieces of the bytes, in turn, to be written one after the other. */
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

/** At the ingress: the destination that is asked for, as text. */
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

/** The other side's answer; undefined is a yes. */
export function awaitControlAnswer(): Handshake<{ readonly code: string; readonly reason: string } | undefined> {
  return oneFrame((type, payload) => {
    if (type === kind.accepted && payload.length === 0) return { value: undefined };
    return type === kind.reset ? { value: refusalOf(payload) } : 'what is no answer of an ingress';
  });
}

/** Reads one frame; `read` says what it means, or what is wrong with it. */
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

/** Everything after request and answer, from one side. */
export class ControlReader {
  #held: Uint8Array = nothing;
  /** Of the data frame that is being read. */
  #left = 0;
  #over = false;
  #fault: string | undefined;

  /** Why what came is not of this protocol: it is over then. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** What a chunk says, in order; data as views of it. */
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
        this.#held = bytes.slice();
        break;
      }
      bytes = rest;
    }
    return events;
  }

  /** Reads the frame that begins here, data only by its header; undefined where it is not whole. */
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
