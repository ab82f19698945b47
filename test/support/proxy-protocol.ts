/**
 * Writes PROXY protocol headers, as a load balancer does, for those who read them.
 * Rule: what is asked for is written, right or wrong: the tests need both.
 */
import { crc32c } from '../../packages/shared/src/protocol/crc32c.ts';
import { parseAddress } from '../../packages/shared/src/protocol/address.ts';
import { proxySignature, proxyTlv, type Endpoint, type ProxyTlv } from '../../packages/shared/src/protocol/proxy-protocol.ts';

export interface Ends { readonly source: Endpoint; readonly destination: Endpoint }

/** `PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n`; without ends `PROXY UNKNOWN\r\n`. */
export function proxyLine(ends?: Ends): Buffer {
  if (!ends) return Buffer.from('PROXY UNKNOWN\r\n');
  const { source, destination } = ends;
  return Buffer.from(`PROXY ${source.host.includes(':') ? 'TCP6' : 'TCP4'} ${source.host} ${destination.host} ${source.port} ${destination.port}\r\n`);
}

export interface BlockOptions { readonly ends?: Ends; readonly command?: 'LOCAL' | 'PROXY'; readonly tlvs?: readonly ProxyTlv[]; readonly checksum?: boolean }

/** A header of version 2; without ends of the family UNSPEC. */
export function proxyBlock({ ends, command = 'PROXY', tlvs = [], checksum = false }: BlockOptions = {}): Buffer {
  const six = ends?.source.host.includes(':') === true;
  const all = checksum ? [...tlvs, { type: proxyTlv.crc32c, value: new Uint8Array(4) }] : tlvs;
  const body = Buffer.concat([...(ends ? [parseAddress(ends.source.host)!, parseAddress(ends.destination.host)!, u16(ends.source.port), u16(ends.destination.port)] : []), ...all.flatMap(({ type, value }) => [Buffer.of(type), u16(value.length), value])]);
  const out = Buffer.concat([proxySignature, Buffer.of(command === 'LOCAL' ? 0x20 : 0x21, ends ? (six ? 0x21 : 0x11) : 0x00), u16(body.length), body]);
  if (checksum) out.writeUInt32BE(crc32c(out), out.length - 4);
  return out;
}

function u16(value: number): Buffer {
  const out = Buffer.alloc(2);
  out.writeUInt16BE(value);
  return out;
}
