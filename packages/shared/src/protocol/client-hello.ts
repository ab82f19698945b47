/**
 * Reads the ClientHello of TLS without consuming it: the name that the client asks for, and the protocols that it
 * offers. Any version from SSL 3 on, in fragments across records and packets.
 * Byte shape: record TYPE(1)=22 VERSION(2)=03xx LENGTH(2) FRAGMENT(LENGTH); message TYPE(1)=1 LENGTH(3) VERSION(2)
 * RANDOM(32) SESSION(1+n) CIPHERS(2+n) COMPRESSION(1+n) EXTENSIONS(2+n), each TYPE(2) LENGTH(2) VALUE.
 * Rule: `rest` holds everything that was read, so that the same bytes are passed on. A hello that two readers could
 * understand differently (a repeated extension, a second name, trailing bytes) is refused: the service must see what we
 * route by. At most 64 KiB are read, record headers included.
 * Not here: an encrypted hello (ECH) shows only its outer name.
 * Spec: RFC 8446 sections 4.1.2, 4.2, 5.1 and 6; RFC 6066 section 3; RFC 7301 section 3.1.
 */
import { parseAddress } from './address.ts';
import { text, u16, u24 } from './bytes.ts';
import { parseHost } from './destination.ts';
import type { Handshake, Step } from './handshake.ts';

/** The hello, or why it was refused and the alert for the client. A hello without a name is valid. */
export type ClientHello =
  /** The name is lower-case, without final dot. The protocols (ALPN) are in the client's order. */
  | { readonly ok: true; readonly serverName: string | undefined; readonly alpn: readonly string[] }
  | { readonly ok: false; readonly reason: string; readonly alert: TlsAlert };

/** The most that is read. OpenSSL accepts messages of 128 KiB, BoringSSL of 16 KiB. */
export const maxClientHelloBytes = 65_536;

/** AlertDescription (RFC 8446 section 6.2): the alerts that are sent before a handshake. */
export const tlsAlerts = {
  unexpectedMessage: 10,
  illegalParameter: 47,
  accessDenied: 49,
  decodeError: 50,
  internalError: 80,
  missingExtension: 109,
  unrecognizedName: 112,
  noApplicationProtocol: 120,
} as const;
export type TlsAlert = keyof typeof tlsAlerts;

/** A fatal alert as a record, unencrypted: TYPE(1)=21 VERSION(2)=0303 LENGTH(2)=2 LEVEL(1)=2 DESCRIPTION(1). */
export function tlsAlert(alert: TlsAlert): Uint8Array {
  return Uint8Array.of(21, 3, 3, 0, 2, 2, tlsAlerts[alert]);
}

/** The first byte of every TLS connection. */
export const tlsHandshakeByte = 22;

const recordHeaderBytes = 5;
const maxFragmentBytes = 16_384;
const clientHelloType = 1;
const messageHeaderBytes = 4;
const extension = { serverName: 0, alpn: 16 } as const;
const hostName = 0;

export function awaitClientHello(): Handshake<ClientHello> {
  return new HelloReader();
}

class HelloReader implements Handshake<ClientHello> {
  readonly #seen = new Gathered();
  readonly #message = new Gathered();
  /** The header of the current record. */
  readonly #header = new Uint8Array(recordHeaderBytes);
  #headerLength = 0;
  /** Bytes of this record's fragment that have not arrived. */
  #toCome = 0;
  /** The bytes of all record headers so far. */
  #headerBytes = 0;

  receive(chunk: Uint8Array): Step<ClientHello> {
    this.#seen.add(chunk);
    for (let at = 0; at < chunk.length;) {
      if (this.#toCome === 0) {
        this.#header[this.#headerLength++] = chunk[at++]!;
        const fault = this.#judgeHeader();
        if (fault) return this.#done(fault);
        continue;
      }
      const piece = chunk.subarray(at, at + this.#toCome);
      at += piece.length;
      this.#toCome -= piece.length;
      this.#message.add(piece);
      const hello = this.#judgeMessage();
      if (hello) return this.#done(hello);
    }
    return { state: 'more' };
  }

  /** Checks the header byte by byte, so that anything other than TLS is refused at its first byte. */
  #judgeHeader(): ClientHello | undefined {
    const [type, major] = this.#header;
    const length = this.#headerLength;
    if (type !== tlsHandshakeByte)
      return this.#headerBytes === 0
        ? no(`it begins with a byte of ${type}, which is not TLS`, 'unexpectedMessage')
        : no(`a record of type ${type} is in the middle of it`, 'unexpectedMessage');
    if (length > 1 && major !== 3)
      return no(`it begins with a record of version ${major}, which is not TLS`, 'decodeError');
    if (length < recordHeaderBytes) return undefined;
    const fragment = u16(this.#header, 3);
    if (fragment === 0 || fragment > maxFragmentBytes) return no(`a record of it has ${fragment} bytes`, 'decodeError');
    this.#headerBytes += recordHeaderBytes;
    this.#headerLength = 0;
    this.#toCome = fragment;
    return undefined;
  }

  /** Judges the announced length and not the bytes that arrived, so that fragmentation does not change the outcome. */
  #judgeMessage(): ClientHello | undefined {
    const { bytes } = this.#message;
    if (bytes[0] !== clientHelloType) return no(`it begins with a message of type ${bytes[0]}`, 'unexpectedMessage');
    if (bytes.length < messageHeaderBytes) return undefined;
    const whole = messageHeaderBytes + u24(bytes, 1);
    if (whole + this.#headerBytes > maxClientHelloBytes)
      return no(`it has more than ${maxClientHelloBytes} bytes`, 'decodeError');
    if (bytes.length + this.#toCome > whole) return no('more bytes follow it in its record', 'unexpectedMessage');
    return bytes.length === whole ? readHello(bytes.subarray(messageHeaderBytes)) : undefined;
  }

  #done(value: ClientHello): Step<ClientHello> {
    return { state: 'done', value, rest: this.#seen.bytes };
  }
}

/** Gathers bytes into one piece, however small the pieces are that they arrive in. */
class Gathered {
  #room = new Uint8Array(1024);
  #length = 0;

  get bytes(): Uint8Array {
    return this.#room.subarray(0, this.#length);
  }

  add(piece: Uint8Array): void {
    const length = this.#length + piece.length;
    if (length > this.#room.length) {
      const larger = new Uint8Array(Math.max(length, this.#room.length * 2));
      larger.set(this.bytes);
      this.#room = larger;
    }
    this.#room.set(piece, this.#length);
    this.#length = length;
  }
}

/** Reads within bounds; undefined for what runs past the end. */
class Vectors {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  take(length: number): Uint8Array | undefined {
    if (length > this.left) return undefined;
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  number(width: 1 | 2): number | undefined {
    const bytes = this.take(width);
    return bytes && (width === 1 ? bytes[0]! : u16(bytes, 0));
  }

  /** A length field of that many bytes, and the bytes that it counts. */
  vector(width: 1 | 2): Uint8Array | undefined {
    const length = this.number(width);
    return length === undefined ? undefined : this.take(length);
  }
}

const cut = no('a length in it runs over its end', 'decodeError');

function readHello(body: Uint8Array): ClientHello {
  const fields = new Vectors(body);
  const fixed = fields.take(34);
  const [session, ciphers, compression] = [fields.vector(1), fields.vector(2), fields.vector(1)];
  if (!fixed || !session || !ciphers || !compression) return cut;
  if (fields.left === 0) return { ok: true, serverName: undefined, alpn: [] };
  const extensions = fields.vector(2);
  if (!extensions) return cut;
  return fields.left > 0 ? no('bytes follow its extensions', 'decodeError') : readExtensions(new Vectors(extensions));
}

function readExtensions(extensions: Vectors): ClientHello {
  const seen = new Map<number, Uint8Array>();
  while (extensions.left > 0) {
    const [type, value] = [extensions.number(2), extensions.vector(2)];
    if (type === undefined || !value) return cut;
    if (seen.has(type)) return no(`extension ${type} is in it twice`, 'illegalParameter');
    seen.set(type, value);
  }
  const named = readServerName(seen.get(extension.serverName));
  if (!named.ok) return named;
  const alpn = readProtocols(seen.get(extension.alpn));
  return alpn ? { ...named, alpn } : cut;
}

/** LIST(2+n): TYPE(1)=0 NAME(2+n). Exactly one name: no other type was ever defined, and two readers could differ. */
function readServerName(value: Uint8Array | undefined): ClientHello {
  if (!value) return { ok: true, serverName: undefined, alpn: [] };
  const whole = new Vectors(value);
  const list = whole.vector(2);
  if (!list || whole.left > 0) return cut;
  const entry = new Vectors(list);
  const [type, bytes] = [entry.number(1), entry.vector(2)];
  if (type === undefined || !bytes) return cut;
  if (type !== hostName || entry.left > 0)
    return no('its server name is not exactly one host name', 'illegalParameter');
  const name = text(bytes);
  const host = parseHost(name);
  if (!host.ok) return no(`its server name is invalid: ${host.reason}`, 'illegalParameter');
  return parseAddress(name)
    ? no('its server name is an address', 'illegalParameter')
    : { ok: true, serverName: host.value, alpn: [] };
}

/** LIST(2+n): NAME(1+n), repeated; undefined if a length is wrong. */
function readProtocols(value: Uint8Array | undefined): string[] | undefined {
  if (!value) return [];
  const whole = new Vectors(value);
  const list = whole.vector(2);
  if (!list || list.length === 0 || whole.left > 0) return undefined;
  const names: string[] = [];
  for (const entries = new Vectors(list); entries.left > 0;) {
    const name = entries.vector(1);
    if (!name || name.length === 0) return undefined;
    names.push(text(name));
  }
  return names;
}

function no(reason: string, alert: TlsAlert): ClientHello {
  return { ok: false, reason, alert };
}
