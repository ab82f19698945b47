/**
 * SOCKS5 as a client, CONNECT only, without authentication or with user and password.
 * Rule: reads exactly the handshake; the bytes after it are `rest`, unchanged. A name goes to the proxy as a name and
 * is resolved only there. A refusal is recognised at the byte that says so, without waiting for the rest of the reply.
 * Not here: BIND, UDP, GSSAPI.
 * Spec: RFC 1928 sections 3 to 6, RFC 1929.
 */
import { parseAddress } from './address.ts';
import { concat, utf8 } from './bytes.ts';
import type { HostPort } from './destination.ts';
import type { Handshake, Step } from './handshake.ts';

/** `host` is a name of at most 255 bytes, or an address. */
export interface Socks5Request extends HostPort {
  /** Each at most 255 bytes of UTF-8; the user is not empty. */
  readonly credentials?: { readonly user: string; readonly password: string };
}

/** The answer of the proxy; `reason` is a clause: "the rules of the proxy do not allow it". */
export type Socks5Answer =
  | { readonly ok: true }
  | { readonly ok: false; readonly step: 'method' | 'credentials'; readonly reason: string }
  | {
      readonly ok: false;
      readonly step: 'connect';
      /** REP of RFC 1928 section 6. */ readonly reply: number;
      readonly reason: string;
    };

const method = { none: 0, userPassword: 2, noneAcceptable: 0xff } as const;
/** The most that the proxy may send: two choices, and the longest reply; bytes. */
export const maxSocks5AnswerBytes = 2 + 2 + 4 + 1 + 255 + 2;

const replies: Readonly<Record<number, string>> = {
  1: 'the proxy failed and does not say why',
  2: 'the rules of the proxy do not allow it',
  3: 'the proxy has no route to that network',
  4: 'the proxy cannot reach or resolve that host',
  5: 'nothing listens on that port',
  6: 'it took too many hops',
  7: 'the proxy does not support CONNECT',
  8: 'the proxy does not support this type of address',
};

/** The first message: VER(1) NMETHODS(1) METHODS(n). Offers user and password only if it has them. */
export function socks5Greeting({ credentials }: Socks5Request): Uint8Array {
  return credentials === undefined
    ? Uint8Array.of(5, 1, method.none)
    : Uint8Array.of(5, 2, method.none, method.userPassword);
}

/** Throws RangeError on a text that does not fit its length byte: the proxy would read something else. */
export function awaitSocks5(request: Socks5Request): Handshake<Socks5Answer> {
  return new Socks5Client(request);
}

/** VER(1)=1 ULEN(1) UNAME(n) PLEN(1) PASSWD(n) */
function encodeCredentials({ user, password }: { readonly user: string; readonly password: string }): Uint8Array {
  return concat([Uint8Array.of(1), counted(user, 1), counted(password, 0)]);
}

/** VER(1) CMD(1) RSV(1) ATYP(1) DST.ADDR(n) DST.PORT(2) */
function encodeConnect({ host, port }: Socks5Request): Uint8Array {
  const address = parseAddress(host);
  const where =
    address === undefined
      ? concat([Uint8Array.of(3), counted(host, 1)])
      : concat([Uint8Array.of(address.length === 4 ? 1 : 4), address]);
  return concat([Uint8Array.of(5, 1, 0), where, Uint8Array.of(port >>> 8, port)]);
}

function counted(value: string, least: number): Uint8Array {
  const bytes = utf8(value);
  if (bytes.length < least || bytes.length > 255)
    throw new RangeError(`SOCKS5 cannot send a text of ${bytes.length} bytes here`);
  return concat([Uint8Array.of(bytes.length), bytes]);
}

type Stage = 'method' | 'credentials' | 'reply';

class Socks5Client implements Handshake<Socks5Answer> {
  readonly #credentials: Uint8Array | undefined;
  readonly #connect: Uint8Array;
  #stage: Stage = 'method';
  #seen: Uint8Array = new Uint8Array(0);

  constructor(request: Socks5Request) {
    this.#credentials = request.credentials && encodeCredentials(request.credentials);
    this.#connect = encodeConnect(request);
  }

  receive(chunk: Uint8Array): Step<Socks5Answer> {
    this.#seen = this.#seen.length === 0 ? chunk : concat([this.#seen, chunk]);
    return this.#stage === 'method' ? this.#method() : this.#stage === 'credentials' ? this.#verdict() : this.#reply();
  }

  /** VER(1) METHOD(1) */
  #method(): Step<Socks5Answer> {
    const [version, chosen] = this.#seen;
    if (version !== undefined && version !== 5) return { state: 'failed', reason: 'not a SOCKS5 answer' };
    if (chosen === undefined) return { state: 'more' };
    if (chosen === method.noneAcceptable)
      return this.#no(
        'method',
        this.#credentials
          ? 'it requires another way to log in than a user and password'
          : 'it requires a user and password',
      );
    if (chosen === method.none) return this.#next('reply', this.#connect);
    if (chosen === method.userPassword && this.#credentials) return this.#next('credentials', this.#credentials);
    return { state: 'failed', reason: `a choice of method ${chosen}, which was not offered` };
  }

  /** VER(1) STATUS(1). Some servers send the version of SOCKS here. */
  #verdict(): Step<Socks5Answer> {
    const [version, status] = this.#seen;
    if (version !== undefined && version !== 1 && version !== 5)
      return { state: 'failed', reason: 'not an RFC 1929 answer to user and password' };
    if (status === undefined) return { state: 'more' };
    return status === 0
      ? this.#next('reply', this.#connect)
      : this.#no('credentials', 'it does not accept this user and password');
  }

  /** VER(1) REP(1) RSV(1) ATYP(1) BND.ADDR(n) BND.PORT(2) */
  #reply(): Step<Socks5Answer> {
    const [version, reply, reserved, type, first] = this.#seen;
    if (version !== undefined && version !== 5) return { state: 'failed', reason: 'not a SOCKS5 reply' };
    if (reply !== undefined && reply !== 0)
      return {
        state: 'done',
        value: {
          ok: false,
          step: 'connect',
          reply,
          reason: replies[reply] ?? `it answers ${reply}, which SOCKS5 does not define`,
        },
        rest: new Uint8Array(0),
      };
    if (reserved !== undefined && reserved !== 0)
      return { state: 'failed', reason: 'a reply whose reserved byte is set' };
    if (type !== undefined && type !== 1 && type !== 3 && type !== 4)
      return { state: 'failed', reason: `a reply with an address of type ${type}` };
    if (first === undefined) return { state: 'more' };
    const length = 4 + (type === 1 ? 4 : type === 4 ? 16 : 1 + first) + 2;
    return this.#seen.length < length
      ? { state: 'more' }
      : { state: 'done', value: { ok: true }, rest: this.#seen.subarray(length) };
  }

  /** Two bytes were read. More bytes would answer a question that was not asked yet. */
  #next(stage: Stage, send: Uint8Array): Step<Socks5Answer> {
    if (this.#seen.length > 2) return { state: 'failed', reason: 'an answer before the request' };
    this.#stage = stage;
    this.#seen = new Uint8Array(0);
    return { state: 'more', send };
  }

  #no(step: 'method' | 'credentials', reason: string): Step<Socks5Answer> {
    return { state: 'done', value: { ok: false, step, reason }, rest: new Uint8Array(0) };
  }
}
