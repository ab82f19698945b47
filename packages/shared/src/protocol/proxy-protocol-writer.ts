/**
 * Writes the header that proxy-protocol.ts reads: PROXY protocol, versions 1 and 2.
 * Rule: it writes what the caller passes. The caller passes two ends of one family, and no more than fits into 64 KiB.
 * Spec: HAProxy's proxy-protocol.txt, sections 2.1 and 2.2.
 */
import { parseAddress } from './address.ts';
import { concat, putU16, putU32, utf8 } from './bytes.ts';
import { crc32c } from './crc32c.ts';
import { proxySignature, proxyTlv, type Endpoint, type ProxyTlv } from './proxy-protocol.ts';

export interface ProxyEnds {
  readonly source: Endpoint;
  readonly destination: Endpoint;
}

/** `PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n`; without ends `PROXY UNKNOWN\r\n`. */
export function proxyLine(ends?: ProxyEnds): Uint8Array {
  if (!ends) return utf8('PROXY UNKNOWN\r\n');
  const { source, destination } = ends;
  return utf8(
    `PROXY ${source.host.includes(':') ? 'TCP6' : 'TCP4'} ${source.host} ${destination.host} ${source.port} ` +
      `${destination.port}\r\n`,
  );
}

/**
 * `LOCAL`: the sender connects on its own behalf, as a health check does. `checksum` adds the TLV with the CRC-32C of
 * the whole header.
 */
export interface ProxyBlockOptions {
  readonly ends?: ProxyEnds;
  readonly command?: 'LOCAL' | 'PROXY';
  readonly tlvs?: readonly ProxyTlv[];
  readonly checksum?: boolean;
}

/** A header of version 2; without ends its family is UNSPEC. */
export function proxyBlock({
  ends,
  command = 'PROXY',
  tlvs = [],
  checksum = false,
}: ProxyBlockOptions = {}): Uint8Array {
  const six = ends?.source.host.includes(':') === true;
  const all = checksum ? [...tlvs, { type: proxyTlv.crc32c, value: new Uint8Array(4) }] : tlvs;
  const body = concat([
    ...(ends
      ? [
          parseAddress(ends.source.host)!,
          parseAddress(ends.destination.host)!,
          u16Of(ends.source.port),
          u16Of(ends.destination.port),
        ]
      : []),
    encodeProxyTlvs(all),
  ]);
  const out = concat([
    proxySignature,
    Uint8Array.of(command === 'LOCAL' ? 0x20 : 0x21, ends ? (six ? 0x21 : 0x11) : 0x00),
    u16Of(body.length),
    body,
  ]);
  if (checksum) putU32(out, out.length - 4, crc32c(out));
  return out;
}

/** TYPE(1) LENGTH(2) VALUE(LENGTH), repeated. */
function encodeProxyTlvs(tlvs: readonly ProxyTlv[]): Uint8Array {
  return concat(tlvs.flatMap(({ type, value }) => [Uint8Array.of(type), u16Of(value.length), value]));
}

/** The client authenticated by a certificate on this connection. */
const clientBits = { ssl: 0x01, certificateOnConnection: 0x02, certificateInSession: 0x04 } as const;
const sslSubtype = { version: 0x21, commonName: 0x22 } as const;

/** PP2_TYPE_SSL for a client whose certificate was verified: CLIENT(1) VERIFY(4), then TLVs (section 2.2.6). */
export function sslTlvOf({ version, commonName }: { readonly version: string; readonly commonName: string }): ProxyTlv {
  const bits = clientBits.ssl | clientBits.certificateOnConnection | clientBits.certificateInSession;
  const verified = new Uint8Array(4);
  return {
    type: proxyTlv.ssl,
    value: concat([
      Uint8Array.of(bits),
      verified,
      encodeProxyTlvs([
        { type: sslSubtype.version, value: utf8(version) },
        { type: sslSubtype.commonName, value: utf8(commonName) },
      ]),
    ]),
  };
}

function u16Of(value: number): Uint8Array {
  const out = new Uint8Array(2);
  putU16(out, 0, value);
  return out;
}
