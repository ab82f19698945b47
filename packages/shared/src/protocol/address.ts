/**
 * IP addresses as bytes: strict parsing, canonical text (RFC 5952), ranges in CIDR notation.
 * Rule: every address has one spelling: four decimal octets without leading zeros, or a full IPv6 literal (RFC 4291
 * section 2.2). What only `inet_aton` reads ("10.1", "010.0.0.1", "0x7f.1", "2130706433") is not an address, nor is one
 * with a zone.
 * Not here: what an address means (loopback, private ...). The policy of the egress knows that.
 */

import { putU32 } from './bytes.ts';

/** A value, or the reason why the text is invalid: a clause without the text itself, such as "the port is missing". */
export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

/** A range of addresses: 4 or 16 bytes whose bits after `prefix` are zero. */
export interface Cidr {
  readonly bytes: Uint8Array;
  readonly prefix: number;
}

const prefixLength = /^(?:0|[1-9][0-9]{0,2})$/;
const group = /^[0-9a-f]{1,4}$/i;
const longestText = 45;
const [dot, zero, nine] = [0x2e, 0x30, 0x39];

/** The four octets as one number, -1 for any other text. Asked several times for each stream: it allocates nothing. */
function v4Number(text: string): number {
  let [value, part, digits, dots] = [0, 0, 0, 0];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === dot) {
      if (digits === 0 || ++dots > 3) return -1;
      value = value * 256 + part;
      part = digits = 0;
    } else {
      if (code < zero || code > nine || (digits > 0 && part === 0)) return -1;
      part = part * 10 + code - zero;
      if (part > 255) return -1;
      digits++;
    }
  }
  return dots === 3 && digits > 0 ? value * 256 + part : -1;
}

function v4Bytes(text: string): Uint8Array | undefined {
  const value = v4Number(text);
  if (value < 0) return undefined;
  const bytes = new Uint8Array(4);
  putU32(bytes, 0, value);
  return bytes;
}

/** The bytes of colon-separated groups. With `tail` a dotted IPv4 address may stand for the last two. */
function groupBytes(text: string, tail: boolean): number[] | undefined {
  if (text === '') return [];
  const out: number[] = [];
  const parts = text.split(':');
  for (const [at, part] of parts.entries()) {
    if (group.test(part)) {
      const value = Number.parseInt(part, 16);
      out.push(value >> 8, value & 0xff);
    } else {
      const dotted = tail && at === parts.length - 1 ? v4Bytes(part) : undefined;
      if (dotted === undefined) return undefined;
      out.push(...dotted);
    }
  }
  return out;
}

function v6Bytes(text: string): Uint8Array | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = groupBytes(halves[0]!, halves.length === 1);
  const tail = halves.length === 2 ? groupBytes(halves[1]!, true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 16 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 2) return undefined;
  const bytes = new Uint8Array(16);
  bytes.set(head, 0);
  bytes.set(tail, 16 - tail.length);
  return bytes;
}

/** The 4 or 16 bytes of an address literal without brackets and zone; undefined when the text is anything else. */
export function parseAddress(text: string): Uint8Array | undefined {
  if (text.length > longestText) return undefined;
  return text.includes(':') ? v6Bytes(text) : v4Bytes(text);
}

/** 4 or 6 for an address literal, 0 for every other text. */
export function addressFamily(host: string): 0 | 4 | 6 {
  if (!host.includes(':')) return v4Number(host) < 0 ? 0 : 4;
  return parseAddress(host) === undefined ? 0 : 6;
}

/** Whether it is ::ffff:a.b.c.d, which a kernel dials as the IPv4 address a.b.c.d (RFC 4291 section 2.5.5.2). */
export function isMapped(bytes: Uint8Array): boolean {
  if (bytes.length !== 16 || bytes[10] !== 0xff || bytes[11] !== 0xff) return false;
  for (let at = 0; at < 10; at++) if (bytes[at] !== 0) return false;
  return true;
}

/** The IPv4 bytes of a v4-mapped address; every other address as it is. */
export function unmapped(bytes: Uint8Array): Uint8Array {
  return isMapped(bytes) ? bytes.subarray(12) : bytes;
}

/** Start and length of the longest run of at least two zero groups, the first of equal ones (RFC 5952 section 4.2). */
function longestZeros(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 };
  for (let at = 0, run = 0; at < groups.length; at++) {
    run = groups[at] === 0 ? run + 1 : 0;
    if (run > best.length && run > 1) best = { start: at - run + 1, length: run };
  }
  return best;
}

/** Canonical text of 4 or 16 bytes: dotted IPv4, RFC 5952 IPv6 (v4-mapped ones with a dotted tail, section 5). */
export function formatAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return `${bytes[0]!}.${bytes[1]!}.${bytes[2]!}.${bytes[3]!}`;
  if (isMapped(bytes)) return `::ffff:${bytes.subarray(12).join('.')}`;
  const groups = Array.from({ length: 8 }, (_, at) => (bytes[2 * at]! << 8) | bytes[2 * at + 1]!);
  const zeros = longestZeros(groups);
  const hex = groups.map((value) => value.toString(16));
  if (zeros.length === 0) return hex.join(':');
  return `${hex.slice(0, zeros.start).join(':')}::${hex.slice(zeros.start + zeros.length).join(':')}`;
}

/** `bytes` with every bit after `prefix` cleared. */
function masked(bytes: Uint8Array, prefix: number): Uint8Array {
  return bytes.map((value, at) => value & (0xff00 >> Math.min(8, Math.max(0, prefix - 8 * at))) & 0xff);
}

/**
 * Parses a range ("10.0.0.0/8", "fd00::/8"); one address is the range of itself. Bits after the prefix must be zero,
 * because "10.0.0.1/8" is as likely a mistyped host as a mistyped network. A range of v4-mapped addresses becomes the
 * IPv4 range that it stands for.
 */
export function parseCidr(text: string): Parsed<Cidr> {
  const [address = '', length, ...more] = text.split('/');
  const bytes = parseAddress(address);
  if (bytes === undefined || more.length > 0) return { ok: false, reason: 'it is not an address or range' };
  const bits = bytes.length * 8;
  const prefix = length === undefined ? bits : prefixLength.test(length) ? Number(length) : -1;
  if (prefix < 0 || prefix > bits) return { ok: false, reason: `the prefix length is not between 0 and ${bits}` };
  const network = masked(bytes, prefix);
  if (!network.every((value, at) => value === bytes[at])) {
    return {
      ok: false,
      reason:
        `bits after the prefix are set: write ${formatAddress(network)}/${prefix} for the range or ` +
        `${formatAddress(bytes)} for the address`,
    };
  }
  return {
    ok: true,
    value: isMapped(bytes) && prefix >= 96 ? { bytes: unmapped(bytes), prefix: prefix - 96 } : { bytes, prefix },
  };
}

/** Whether the range contains this address. Families never mix: pass a v4-mapped address through `unmapped` first. */
export function cidrContains(cidr: Cidr, bytes: Uint8Array): boolean {
  if (cidr.bytes.length !== bytes.length) return false;
  const whole = cidr.prefix >>> 3;
  for (let at = 0; at < whole; at++) if (cidr.bytes[at] !== bytes[at]) return false;
  const rest = cidr.prefix & 7;
  return rest === 0 || ((cidr.bytes[whole]! ^ bytes[whole]!) & (0xff00 >> rest) & 0xff) === 0;
}
