/**
 * SOCKS5 as a server, CONNECT only, without authentication or with user and password.
 * Rule: consumes exactly the request; everything after it is `rest`, unchanged. Reads at most 1,032 bytes, and refuses
 * at the byte that decides. A client may send everything at once, before it is answered.
 * Not here: BIND and UDP ASSOCIATE (refused), GSSAPI, resolving names (the egress does), and the reply to a valid
 * request, which is the egress's answer.
 * Spec: RFC 1928 sections 3 to 6, RFC 1929.
 */
import { formatAddress, type Parsed } from './address.ts';
import { concat, text, u16 } from './bytes.ts';
import { destinationOfHost, parseHost, type Destination } from './destination.ts';
import type { Handshake, Step } from './handshake.ts';

/** Whether this is the password of this user. Absent if no client is asked for one. */
export type Admits = (user: string, password: string) => boolean;

export type SocksRequest =
  | { readonly ok: true; readonly version: 4 | 5; readonly destination: Destination }
  /** `answer` is sent to the client before its connection ends. */
  | {
      readonly ok: false;
      readonly why: 'credentials' | 'command' | 'destination';
      readonly reason: string;
      readonly answer: Uint8Array;
    };

const method = { none: 0, userPassword: 2, noneAcceptable: 0xff } as const;
const commands: Readonly<Record<number, string>> = { 2: 'BIND', 3: 'UDP ASSOCIATE' };
const unsupportedCommand = 7;
const unsupportedAddress = 8;
const hostUnreachable = 4;
const nothing = new Uint8Array(0);

/**
 * VER(1) REP(1) RSV(1) ATYP(1)=1 BND.ADDR(4)=0 BND.PORT(2)=0. The address that the egress dialled from is not
 * disclosed.
 */
export function socks5Reply(reply: number): Uint8Array {
  return Uint8Array.of(5, reply, 0, 1, 0, 0, 0, 0, 0, 0);
}

/** The destination of any host and port; a name below adit.internal is a service. */
export function requested(host: Parsed<string>, port: number): Parsed<Destination> {
  if (!host.ok) return host;
  return port === 0 ? { ok: false, reason: 'port 0' } : destinationOfHost(host.value, port);
}

export function awaitSocks5Request(admits?: Admits): Handshake<SocksRequest> {
  return new Socks5Server(admits);
}

type Stage = 'method' | 'credentials' | 'request';

class Socks5Server implements Handshake<SocksRequest> {
  readonly #admits: Admits | undefined;
  #stage: Stage = 'method';
  #seen: Uint8Array = nothing;
  #said: Uint8Array = nothing;

  constructor(admits: Admits | undefined) {
    this.#admits = admits;
  }

  receive(chunk: Uint8Array): Step<SocksRequest> {
    this.#seen = this.#seen.length === 0 ? chunk : concat([this.#seen, chunk]);
    this.#said = nothing;
    let step = this.#take();
    while (step === undefined) step = this.#take();
    return this.#said.length > 0 && step.state !== 'failed' ? { ...step, send: this.#said } : step;
  }

  /** Reads one message; undefined if the next one may have arrived already. */
  #take(): Step<SocksRequest> | undefined {
    return this.#stage === 'method'
      ? this.#method()
      : this.#stage === 'credentials'
        ? this.#credentials()
        : this.#request();
  }

  /** VER(1) NMETHODS(1) METHODS(n) */
  #method(): Step<SocksRequest> | undefined {
    const [version, count] = this.#seen;
    if (version !== undefined && version !== 5) return { state: 'failed', reason: 'not a SOCKS5 greeting' };
    if (count === undefined || this.#seen.length < 2 + count) return { state: 'more' };
    const wanted = this.#admits ? method.userPassword : method.none;
    if (this.#seen.subarray(2, 2 + count).includes(wanted))
      return this.#next(wanted === method.none ? 'request' : 'credentials', {
        length: 2 + count,
        say: Uint8Array.of(5, wanted),
      });
    const reason = this.#admits
      ? 'the client offers no user and password, and they are required here'
      : 'the client requires authentication, and none is configured here';
    return this.#no({ why: 'credentials', reason, answer: Uint8Array.of(5, method.noneAcceptable) });
  }

  /** VER(1)=1 ULEN(1) UNAME(n) PLEN(1) PASSWD(n) */
  #credentials(): Step<SocksRequest> | undefined {
    const [version, userLength] = this.#seen;
    if (version !== undefined && version !== 1)
      return { state: 'failed', reason: 'user and password not in the form of RFC 1929' };
    const passwordLength = userLength === undefined ? undefined : this.#seen[2 + userLength];
    if (userLength === undefined || passwordLength === undefined || this.#seen.length < 3 + userLength + passwordLength)
      return { state: 'more' };
    const user = text(this.#seen.subarray(2, 2 + userLength));
    const length = 3 + userLength + passwordLength;
    if (this.#admits!(user, text(this.#seen.subarray(3 + userLength, length))))
      return this.#next('request', { length, say: Uint8Array.of(1, 0) });
    return this.#no({ why: 'credentials', reason: 'wrong user or password', answer: Uint8Array.of(1, 1) });
  }

  /** VER(1) CMD(1) RSV(1) ATYP(1) DST.ADDR(n) DST.PORT(2) */
  #request(): Step<SocksRequest> {
    const [version, command, reserved, type, first] = this.#seen;
    if (version !== undefined && version !== 5) return { state: 'failed', reason: 'not a SOCKS5 request' };
    if (command !== undefined && command !== 1)
      return this.#no({
        why: 'command',
        reason: `${commands[command] ?? `the command ${command}`} is not supported, only CONNECT`,
        answer: socks5Reply(unsupportedCommand),
      });
    if (reserved !== undefined && reserved !== 0)
      return { state: 'failed', reason: 'a request whose reserved byte is set' };
    if (type !== undefined && type !== 1 && type !== 3 && type !== 4)
      return this.#no({
        why: 'destination',
        reason: `an address of type ${type}`,
        answer: socks5Reply(unsupportedAddress),
      });
    if (first === undefined) return { state: 'more' };
    const start = type === 3 ? 5 : 4;
    const end = start + (type === 1 ? 4 : type === 4 ? 16 : first);
    if (this.#seen.length < end + 2) return { state: 'more' };
    const bytes = this.#seen.subarray(start, end);
    const host = parseHost(type === 3 ? text(bytes) : formatAddress(bytes));
    const port = u16(this.#seen, end);
    const destination = requested(host, port);
    if (!destination.ok)
      return this.#no({ why: 'destination', reason: destination.reason, answer: socks5Reply(hostUnreachable) });
    return {
      state: 'done',
      value: { ok: true, version: 5, destination: destination.value },
      rest: this.#seen.subarray(end + 2),
    };
  }

  #next(stage: Stage, { length, say }: { readonly length: number; readonly say: Uint8Array }): undefined {
    this.#stage = stage;
    this.#seen = this.#seen.subarray(length);
    this.#said = this.#said.length === 0 ? say : concat([this.#said, say]);
    return undefined;
  }

  #no(refusal: Omit<Extract<SocksRequest, { readonly ok: false }>, 'ok'>): Step<SocksRequest> {
    return { state: 'done', value: { ok: false, ...refusal }, rest: nothing };
  }
}
