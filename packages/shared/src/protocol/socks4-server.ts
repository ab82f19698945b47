/**
 * SOCKS4 and SOCKS4a as a server, CONNECT only; no version of it has a password.
 * Rule: consumes exactly the request; everything after it is `rest`, unchanged. User id and name are at most 255 bytes
 * each. The user id is an unproven claim: it is read and ignored.
 * Spec: "SOCKS: A protocol for TCP proxy across firewalls" (Ying-Da Lee), and its extension 4A, where the address is
 * 0.0.0.x and the name follows.
 */
import { formatAddress } from './address.ts';
import { concat, text, u16 } from './bytes.ts';
import { parseHost } from './destination.ts';
import type { Handshake, Step } from './handshake.ts';
import { requested, type SocksRequest } from './socks5-server.ts';

const granted = 90;
const rejected = 91;
const fixedBytes = 8;
const maxTextBytes = 255;
const nothing = new Uint8Array(0);

/** VN(1)=0 CD(1) DSTPORT(2)=0 DSTIP(4)=0: there is one refusal, whatever the reason. */
export function socks4Reply(ok: boolean): Uint8Array {
  return Uint8Array.of(0, ok ? granted : rejected, 0, 0, 0, 0, 0, 0);
}

/**
 * VN(1)=4 CD(1) DSTPORT(2) DSTIP(4) USERID(n) 0, and if DSTIP is 0.0.0.x: HOST(n) 0. If a password is required, every
 * request is refused.
 */
export function awaitSocks4Request({ passwordAsked }: { readonly passwordAsked: boolean }): Handshake<SocksRequest> {
  return new Socks4Server(passwordAsked);
}

class Socks4Server implements Handshake<SocksRequest> {
  readonly #passwordAsked: boolean;
  #seen: Uint8Array = nothing;

  constructor(passwordAsked: boolean) {
    this.#passwordAsked = passwordAsked;
  }

  receive(chunk: Uint8Array): Step<SocksRequest> {
    this.#seen = this.#seen.length === 0 ? chunk : concat([this.#seen, chunk]);
    const [version, command] = this.#seen;
    if (version !== undefined && version !== 4) return { state: 'failed', reason: 'not a SOCKS4 request' };
    if (command === undefined) return { state: 'more' };
    if (this.#passwordAsked) return no('credentials', 'SOCKS4 has no password, and one is required here');
    if (command !== 1)
      return no('command', `${command === 2 ? 'BIND' : `the command ${command}`} is not supported, only CONNECT`);
    if (this.#seen.length < fixedBytes) return { state: 'more' };
    const user = this.#text(fixedBytes);
    if ('state' in user) return user;
    const address = this.#seen.subarray(4, fixedBytes);
    const named = address[0] === 0 && address[1] === 0 && address[2] === 0 && address[3] !== 0;
    const name = named ? this.#text(user.end) : { value: formatAddress(address), end: user.end };
    if ('state' in name) return name;
    const host = parseHost(name.value);
    const port = u16(this.#seen, 2);
    const destination = requested(host, port);
    if (!destination.ok) return no('destination', destination.reason);
    return {
      state: 'done',
      value: { ok: true, version: 4, destination: destination.value },
      rest: this.#seen.subarray(name.end),
    };
  }

  /** The text from there to the NUL, and the offset of what follows it. */
  #text(start: number): { readonly value: string; readonly end: number } | Step<SocksRequest> {
    const length = this.#seen.subarray(start, start + maxTextBytes + 1).indexOf(0);
    if (length >= 0) return { value: text(this.#seen.subarray(start, start + length)), end: start + length + 1 };
    return this.#seen.length > start + maxTextBytes
      ? { state: 'failed', reason: `a text of more than ${maxTextBytes} bytes` }
      : { state: 'more' };
  }
}

function no(why: 'credentials' | 'command' | 'destination', reason: string): Step<SocksRequest> {
  return { state: 'done', value: { ok: false, why, reason, answer: socks4Reply(false) }, rest: nothing };
}
