/**
 * CONNECT of HTTP/1.1 as a client: the bytes of the request, and the head of the answer.
 * Rule: reads exactly the head of the final answer; everything after it is `rest`, unchanged. Against smuggling, a line
 * ends in CR LF and nothing else, folded lines and blanks before a colon are refused, and a head is at most 64 KiB.
 * Not here: what a status means, and the body of a refusal (it begins in `rest`).
 * Spec: RFC 9110 section 9.3.6, RFC 9112.
 */
import { text, utf8 } from './bytes.ts';
import { formatHostPort, type HostPort } from './destination.ts';
import type { Handshake, Step } from './handshake.ts';

export interface ConnectRequest extends HostPort {
  /**
   * Beside Host. Whoever read them has checked names and values; a line break in one is refused here again.
   */
  readonly headers: Readonly<Record<string, string>>;
}

export interface ConnectResponse {
  readonly status: number;
  readonly reason: string;
  /** By lower-case name; several of one name are one, joined by ", " (RFC 9110 section 5.3). */
  readonly headers: ReadonlyMap<string, string>;
}

/** The longest head of an answer, with the interim answers before it. */
export const maxHeadBytes = 65_536;

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Control characters except the tab: not allowed in field values and reasons (RFC 9110 section 5.5). */
const control = /(?!\t)\p{Cc}/u;
const visible = /^[!-~]+$/;

/** The request. Throws TypeError on an invalid host or header, whose bytes would mean something else. */
export function connectRequest({ host, port, headers }: ConnectRequest): Uint8Array {
  if (!visible.test(host)) throw new TypeError('the host has characters that no host has');
  const authority = formatHostPort(host, port);
  const lines = [`CONNECT ${authority} HTTP/1.1`, `Host: ${authority}`];
  for (const [name, value] of Object.entries(headers)) {
    if (!token.test(name) || control.test(value))
      throw new TypeError(`the header ${token.test(name) ? name : 'without a proper name'} cannot be sent`);
    lines.push(`${name}: ${value}`);
  }
  return utf8(`${lines.join('\r\n')}\r\n\r\n`);
}

/** The value of Proxy-Authorization or Authorization (RFC 7617, UTF-8). The user has no colon. */
export function basicCredentials(user: string, password: string): string {
  return `Basic ${btoa(String.fromCharCode(...utf8(`${user}:${password}`)))}`;
}

/** Awaits the final answer and skips interim ones (1xx). */
export function awaitConnectResponse(): Handshake<ConnectResponse> {
  return new ResponseHead();
}

const cr = 0x0d;
const lf = 0x0a;
const beginning = 'HTTP/1.';

class ResponseHead implements Handshake<ConnectResponse> {
  #line = new Uint8Array(256);
  #length = 0;
  #total = 0;
  #response: { readonly status: number; readonly reason: string; readonly headers: Map<string, string> } | undefined;
  #failure: string | undefined;

  receive(chunk: Uint8Array): Step<ConnectResponse> {
    for (let at = 0; at < chunk.length && this.#failure === undefined; at++) {
      const ended = this.#take(chunk[at]!);
      if (ended !== undefined) return { state: 'done', value: ended, rest: chunk.subarray(at + 1) };
    }
    return this.#failure === undefined ? { state: 'more' } : { state: 'failed', reason: this.#failure };
  }

  /** Takes one byte; returns the whole head after the last one. */
  #take(byte: number): ConnectResponse | undefined {
    if (++this.#total > maxHeadBytes) return this.#fail(`a head of more than ${maxHeadBytes} bytes`);
    const afterCr = this.#length > 0 && this.#line[this.#length - 1] === cr;
    if ((byte === lf) !== afterCr) return this.#fail('a line that does not end in CR LF');
    if (byte === lf) return this.#ended(this.#line.subarray(0, this.#length - 1));
    if (this.#response === undefined && this.#length < beginning.length && byte !== beginning.charCodeAt(this.#length))
      return this.#fail('no answer of HTTP/1');
    if (this.#length === this.#line.length) {
      const longer = new Uint8Array(this.#length * 2);
      longer.set(this.#line);
      this.#line = longer;
    }
    this.#line[this.#length++] = byte;
    return undefined;
  }

  /** Takes a line without its end. */
  #ended(bytes: Uint8Array): ConnectResponse | undefined {
    const line = text(bytes);
    this.#length = 0;
    if (control.test(line)) return this.#fail('a control character in a line of the head');
    const response = this.#response;
    if (response === undefined) return this.#statusLine(line);
    if (line !== '') return this.#field(line, response.headers);
    this.#response = undefined;
    const interim = response.status < 200 && response.status !== 101;
    return interim ? undefined : response;
  }

  #statusLine(line: string): undefined {
    const match = /^HTTP\/1\.[01] ([1-5][0-9]{2})(?: (.*))?$/.exec(line);
    if (match === null) return this.#fail('a malformed status line');
    this.#response = { status: Number(match[1]), reason: match[2] ?? '', headers: new Map() };
    return undefined;
  }

  #field(line: string, headers: Map<string, string>): undefined {
    if (/^[ \t]/.test(line)) return this.#fail('a header folded over two lines');
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon)).toLowerCase();
    if (!token.test(name)) return this.#fail('a header with an invalid name');
    const value = line
      .slice(colon + 1)
      .replace(/^[ \t]+/, '')
      .replace(/[ \t]+$/, '');
    const earlier = headers.get(name);
    headers.set(name, earlier === undefined ? value : `${earlier}, ${value}`);
    return undefined;
  }

  #fail(reason: string): undefined {
    this.#failure = reason;
    return undefined;
  }
}
