/**
 * Reads the PROXY protocol header, versions 1 and 2: a load balancer sends it first to say whose connection it is.
 * Byte shape: v1 "PROXY" SP ("TCP4" | "TCP6") SP SOURCE SP DESTINATION SP PORT SP PORT CRLF, or "PROXY UNKNOWN"
 * anything CRLF; at most 107 bytes. v2 SIGNATURE(12) VERSION|COMMAND(1) FAMILY|TRANSPORT(1) LENGTH(2) ADDRESSES(0 | 12
 * | 36 | 216) TLVS(n), each TYPE(1) LENGTH(2) VALUE(LENGTH).
 * Rule: every header has one spelling; it fails at the first byte that cannot belong to one. The bytes after it are
 * `rest`, unchanged.
 * Not here: who may send one. Without a header nothing is guessed, and a header is only as trustworthy as its sender.
 * Spec: HAProxy's proxy-protocol.txt, sections 2.1 and 2.2.
 */
import { formatAddress, parseAddress } from './address.ts';
import { concat, text, u16, u32, utf8 } from './bytes.ts';
import { crc32c } from './crc32c.ts';
import type { HostPort } from './destination.ts';
import type { Handshake, Step } from './handshake.ts';

/** `host` is an address, never a name. */
export type Endpoint = HostPort;

export interface ProxyHeader {
  /**
   * Who connected to the load balancer. Absent if the header does not say (LOCAL, UNKNOWN, UNSPEC, a Unix socket); only
   * the sender's own address is known then.
   */
  readonly source?: Endpoint;
  readonly destination?: Endpoint;
  /** The load balancer connected on its own behalf: a health check. */
  readonly local: boolean;
  /** The TLVs of version 2, in order, without padding and checksum. */
  readonly tlvs: readonly ProxyTlv[];
}

export interface ProxyTlv {
  readonly type: number;
  readonly value: Uint8Array;
}

/** Types whose content is checked here; every other one is passed on unchanged (section 2.2.1 and following). */
export const proxyTlv = {
  alpn: 0x01,
  authority: 0x02,
  crc32c: 0x03,
  noop: 0x04,
  uniqueId: 0x05,
  ssl: 0x20,
  netns: 0x30,
} as const;
export const proxySignature = Uint8Array.of(0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a);
/** The longest header that is read: four times what HAProxy writes in version 2 with every option turned on. */
export const maxProxyHeaderBytes = 4096;

const greeting = utf8('PROXY ');
const maxLineBytes = 107;
const fixedBytes = 16;
const maxUniqueIdBytes = 128;
/** FAMILY|TRANSPORT to the size of its addresses: UNSPEC, TCP over IPv4, TCP over IPv6, stream over Unix sockets. */
const addressBytes: Readonly<Record<number, number>> = { 0x00: 0, 0x11: 12, 0x21: 36, 0x31: 216 };

/** Reads exactly one header, of either version. */
export function awaitProxyHeader(): Handshake<ProxyHeader> {
  let seen: Uint8Array = new Uint8Array(0);
  return {
    receive(chunk): Step<ProxyHeader> {
      seen = seen.length === 0 ? chunk : concat([seen, chunk]);
      if (seen.length === 0) return { state: 'more' };
      if (begins(seen, greeting)) return line(seen);
      if (begins(seen, proxySignature)) return block(seen);
      return failed('it does not begin with a PROXY protocol header');
    },
  };
}

/** Whether the bytes match the beginning, as far as both go. */
function begins(bytes: Uint8Array, beginning: Uint8Array): boolean {
  return beginning.every((byte, at) => at >= bytes.length || bytes[at] === byte);
}

function failed(reason: string): Step<never> {
  return { state: 'failed', reason };
}

function line(seen: Uint8Array): Step<ProxyHeader> {
  const end = seen.findIndex((byte) => byte === 0x0a || byte === 0x0d);
  if (end === -1 ? seen.length > maxLineBytes - 2 : end > maxLineBytes - 2)
    return failed(`a PROXY line of more than ${maxLineBytes} bytes`);
  if (end === -1 || (end === seen.length - 1 && seen[end] === 0x0d)) return { state: 'more' };
  if (seen[end] !== 0x0d || seen[end + 1] !== 0x0a) return failed('a PROXY line that does not end with CR LF');
  const rest = seen.subarray(end + 2);
  const [, family, ...fields] = text(seen.subarray(0, end)).split(' ');
  if (family === 'UNKNOWN') return { state: 'done', value: { local: false, tlvs: [] }, rest };
  if (family !== 'TCP4' && family !== 'TCP6')
    return failed('a PROXY line of a family that is not TCP4, TCP6 or UNKNOWN');
  if (fields.length !== 4) return failed('a PROXY line without exactly two addresses and two ports');
  const [from, to, fromPort, toPort] = fields as [string, string, string, string];
  const source = endpoint(from, fromPort, family);
  const destination = endpoint(to, toPort, family);
  if (!source || !destination) return failed(`a PROXY line whose addresses or ports are not valid for ${family}`);
  return { state: 'done', value: { source, destination, local: false, tlvs: [] }, rest };
}

function endpoint(host: string, port: string, family: 'TCP4' | 'TCP6'): Endpoint | undefined {
  const bytes = parseAddress(host);
  if (bytes?.length !== (family === 'TCP4' ? 4 : 16) || !/^(?:0|[1-9][0-9]{0,4})$/.test(port) || Number(port) > 0xffff)
    return undefined;
  return { host: formatAddress(bytes), port: Number(port) };
}

function block(seen: Uint8Array): Step<ProxyHeader> {
  const [command, family] = [seen[12], seen[13]];
  if (command !== undefined && command >>> 4 !== 2) return failed(`version ${command >>> 4} of the PROXY protocol`);
  if (command !== undefined && (command & 0x0f) > 1) return failed(`command ${command & 0x0f} of the PROXY protocol`);
  if (seen.length < fixedBytes) return { state: 'more' };
  const length = fixedBytes + u16(seen, 14);
  if (length > maxProxyHeaderBytes) return failed(`a PROXY header of ${length} bytes`);
  const local = (command! & 0x0f) === 0;
  const addresses = addressBytes[family!];
  if (!local && addresses === undefined)
    return failed(`a PROXY header of family and transport 0x${family!.toString(16).padStart(2, '0')}`);
  if (!local && fixedBytes + addresses! > length) return failed('a PROXY header that is too short for its addresses');
  if (seen.length < length) return { state: 'more' };
  const rest = seen.subarray(length);
  // Section 2.2: with LOCAL the receiver discards the block, whatever its family is.
  if (local) return { state: 'done', value: { local, tlvs: [] }, rest };
  const header = Uint8Array.from(seen.subarray(0, length)); // a copy: `slice` of a Buffer is a view
  const tlvs = walk(header, fixedBytes + addresses!);
  if (typeof tlvs === 'string') return failed(tlvs);
  return {
    state: 'done',
    value: {
      ...endpoints(header, family!),
      local,
      tlvs: tlvs.filter(({ type }) => type !== proxyTlv.noop && type !== proxyTlv.crc32c),
    },
    rest,
  };
}

function endpoints(header: Uint8Array, family: number): Pick<ProxyHeader, 'source' | 'destination'> {
  if (family !== 0x11 && family !== 0x21) return {};
  const size = family === 0x11 ? 4 : 16;
  const [from, to, ports] = [fixedBytes, fixedBytes + size, fixedBytes + 2 * size];
  return {
    source: { host: formatAddress(header.subarray(from, to)), port: u16(header, ports) },
    destination: { host: formatAddress(header.subarray(to, ports)), port: u16(header, ports + 2) },
  };
}

/** The TLVs from `start` to the end of the header, or why they are invalid. */
function walk(header: Uint8Array, start: number): ProxyTlv[] | string {
  const tlvs: ProxyTlv[] = [];
  let summed = false;
  for (let at = start; at < header.length;) {
    const end = at + 3 <= header.length ? at + 3 + u16(header, at + 1) : Infinity;
    if (end > header.length) return 'a PROXY header with a TLV that runs over its end';
    const [type, value] = [header[at]!, header.subarray(at + 3, end)];
    const wrong =
      type === proxyTlv.crc32c && summed ? 'a PROXY header with two checksums' : complaint(type, value, header);
    if (wrong !== undefined) return wrong;
    summed ||= type === proxyTlv.crc32c;
    tlvs.push({ type, value });
    at = end;
  }
  return tlvs;
}

function complaint(type: number, value: Uint8Array, header: Uint8Array): string | undefined {
  if (type === proxyTlv.crc32c)
    return value.length === 4 && sumOf(header, value) === u32(value, 0)
      ? undefined
      : 'a PROXY header whose checksum is wrong';
  if (type === proxyTlv.uniqueId && value.length > maxUniqueIdBytes)
    return `a PROXY header with a unique id of ${value.length} bytes`;
  // CLIENT(1) VERIFY(4), then TLVs of its own, which may not include a checksum.
  if (type === proxyTlv.ssl && (value.length < 5 || !covers(value, 5)))
    return 'a PROXY header with a malformed TLV about TLS';
  return undefined;
}

/** Whether TLVs fill the bytes from `start` exactly. */
function covers(bytes: Uint8Array, start: number): boolean {
  let at = start;
  while (at + 3 <= bytes.length) at += 3 + u16(bytes, at + 1);
  return at === bytes.length;
}

/** The checksum of a header, in which `field` (a view of it) counts as zero. */
function sumOf(header: Uint8Array, field: Uint8Array): number {
  const copy = Uint8Array.from(header);
  copy.fill(0, field.byteOffset - header.byteOffset, field.byteOffset - header.byteOffset + field.length);
  return crc32c(copy);
}
