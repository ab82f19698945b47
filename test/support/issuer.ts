/**
 * Certificates and revocation lists for tests, in every way right and wrong: a small DER writer signed with
 * node:crypto.
 * Rule: it writes exactly what it is told, also what no honest CA would (two clients in a name, a NUL, a negative
 * serial).
 * Not here: what users get; that is @adit/pki.
 */
import { type KeyObject, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

type Bytes = Uint8Array;
export const day = 86_400_000;

/** Tag, length, content. */
export function der(tag: number, ...contents: readonly Bytes[]): Bytes {
  const content = Buffer.concat(contents);
  const { length } = content;
  const size =
    length < 0x80
      ? [length]
      : length < 0x100
        ? [0x81, length]
        : length < 0x1_0000
          ? [0x82, length >> 8, length & 0xff]
          : [0x83, length >> 16, (length >> 8) & 0xff, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}
export const seq = (...contents: readonly Bytes[]): Bytes => der(0x30, ...contents);
export const octets = (content: Bytes): Bytes => der(0x04, content);
export const bits = (content: Bytes, unused = 0): Bytes => der(0x03, Buffer.from([unused]), content);
/** INTEGER with exactly these content octets, minimal or not. */
export const rawInteger = (hex: string): Bytes => der(0x02, Buffer.from(hex, 'hex'));
/** Positive INTEGER of a hex number. */
export function integer(hex: string): Bytes {
  const digits = Buffer.from(hex.length % 2 === 1 ? `0${hex}` : hex, 'hex');
  let start = 0;
  while (start < digits.length - 1 && digits[start] === 0) start++;
  const trimmed = digits.subarray(start);
  return der(0x02, trimmed[0]! >= 0x80 ? Buffer.from([0]) : Buffer.alloc(0), trimmed);
}
export function oid(dotted: string): Bytes {
  const [a = 0, b = 0, ...rest] = dotted.split('.').map(Number);
  const arc = (value: number): number[] =>
    value < 0x80 ? [value] : [...arc(Math.floor(value / 128)).map((byte) => byte | 0x80), value & 0x7f];
  return der(0x06, Buffer.from([a * 40 + b, ...rest].flatMap(arc)));
}
export const ascii = (tag: number, text: string): Bytes => der(tag, Buffer.from(text, 'latin1'));
/** UTCTime up to 2049, GeneralizedTime after. */
export function time(date: Date): Bytes {
  const full = `${date.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;
  return date.getUTCFullYear() < 2050 ? ascii(0x17, full.slice(2)) : ascii(0x18, full);
}
export const name = (cn: string): Bytes => seq(der(0x31, seq(oid('2.5.4.3'), ascii(0x0c, cn))));
export const extension = (id: string, value: Bytes, critical = false): Bytes =>
  seq(oid(id), ...(critical ? [der(0x01, Buffer.from([0xff]))] : []), octets(value));
export function pem(label: string, bytes: Bytes): string {
  return `-----BEGIN ${label}-----\n${Buffer.from(bytes)
    .toString('base64')
    .replace(/(.{64})(?=.)/g, '$1\n')}\n-----END ${label}-----\n`;
}

export const usage = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' } as const;
const ecdsaSha256 = seq(oid('1.2.840.10045.4.3.2'));

export interface Issued {
  readonly certPem: string;
  readonly keyPem: string;
  readonly der: Bytes;
  readonly key: KeyObject;
  readonly subject: string;
  /** Hex. */
  readonly serial: string;
}
export interface LeafOptions {
  readonly subject?: string;
  readonly uris?: readonly string[];
  readonly dns?: readonly string[];
  /** Extended key usages; `[]` leaves the extension out. */
  readonly uses?: readonly string[];
  readonly from?: Date;
  readonly to?: Date;
  /** Hex of a positive serial. */
  readonly serial?: string;
  readonly extensions?: readonly Bytes[];
  /** CA that may sign; key usage bits as one octet (default keyCertSign and cRLSign, 0x06). */
  readonly ca?: { readonly keyUsage?: number };
}

/** A self-signed CA. */
export function newCa(subject = 'Test CA', options: LeafOptions = {}): Issued {
  return certificate({ ca: {}, uses: [], ...options, subject });
}

/** A client certificate of `alice` unless told otherwise. */
export function newClient(ca: Issued, options: LeafOptions = {}): Issued {
  return certificate(
    { subject: 'alice', uris: ['spiffe://example.org/client/alice'], uses: [usage.client], ...options },
    ca,
  );
}

/** A server certificate of localhost and 127.0.0.1 unless told otherwise. */
export function newServer(ca: Issued, options: LeafOptions = {}): Issued {
  return certificate({ subject: 'edge', dns: ['localhost', '127.0.0.1'], uses: [usage.server], ...options }, ca);
}

/** Any certificate; without `issuer` it signs itself. */
export function certificate(options: LeafOptions, issuer?: Issued): Issued {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const {
    subject = 'somebody',
    from = new Date(Date.now() - day),
    to = new Date(Date.now() + day),
    serial = `1${randomBytes(7).toString('hex')}`,
  } = options;
  const tbs = seq(
    der(0xa0, integer('02')),
    integer(serial),
    ecdsaSha256,
    name(issuer?.subject ?? subject),
    seq(time(from), time(to)),
    name(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, seq(...extensionsOf(options))),
  );
  const signed = seq(
    tbs,
    ecdsaSha256,
    bits(sign('sha256', tbs, { key: issuer?.key ?? privateKey, dsaEncoding: 'der' })),
  );
  return {
    certPem: pem('CERTIFICATE', signed),
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    der: signed,
    key: privateKey,
    subject,
    serial,
  };
}

function extensionsOf({ ca, uses = [], uris = [], dns = [], extensions = [] }: LeafOptions): Bytes[] {
  const names = [
    ...uris.map((uri) => ascii(0x86, uri)),
    ...dns.map((host) =>
      /^[\d.]+$/.test(host) ? der(0x87, Buffer.from(host.split('.').map(Number))) : ascii(0x82, host),
    ),
  ];
  return [
    extension('2.5.29.19', ca === undefined ? seq() : seq(der(0x01, Buffer.from([0xff]))), true),
    ...(ca === undefined ? [] : [extension('2.5.29.15', bits(Buffer.from([ca.keyUsage ?? 0x06]), 1), true)]),
    ...(uses.length === 0 ? [] : [extension('2.5.29.37', seq(...uses.map(oid)))]),
    ...(names.length === 0 ? [] : [extension('2.5.29.17', seq(...names))]),
    ...extensions,
  ];
}

export interface CrlOptions {
  /** Certificates to revoke. */
  readonly revoked?: readonly { readonly serial: string }[];
  /** INTEGER elements (`integer`, `rawInteger`) of further revoked serials. */
  readonly serials?: readonly Bytes[];
  readonly thisUpdate?: Date;
  /** null leaves it out. */
  readonly nextUpdate?: Date | null;
  readonly extensions?: readonly Bytes[];
  /** CRLReason of every entry. */
  readonly reason?: number;
  readonly signer?: KeyObject;
}

/** A version 2 revocation list of `ca` in DER. */
export function newCrl(
  ca: Issued,
  {
    revoked = [],
    serials: others = [],
    thisUpdate = new Date(Date.now() - day),
    nextUpdate = new Date(Date.now() + day),
    extensions = [],
    reason = 1,
    signer = ca.key,
  }: CrlOptions = {},
): Bytes {
  const serials = [...revoked.map(({ serial }) => integer(serial)), ...others];
  const reasonCode = seq(extension('2.5.29.21', der(0x0a, Buffer.from([reason]))));
  const tbs = seq(
    integer('01'),
    ecdsaSha256,
    name(ca.subject),
    time(thisUpdate),
    ...(nextUpdate === null ? [] : [time(nextUpdate)]),
    ...(serials.length === 0 ? [] : [seq(...serials.map((serial) => seq(serial, time(thisUpdate), reasonCode)))]),
    der(0xa0, seq(extension('2.5.29.20', integer('01')), ...extensions)),
  );
  return seq(tbs, ecdsaSha256, bits(sign('sha256', tbs, { key: signer, dsaEncoding: 'der' })));
}
