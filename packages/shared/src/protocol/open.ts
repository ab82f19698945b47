/**
 * The payload of OPEN: the destination, and what the ingress claims about the local connection.
 * Rule: only the destination binds the egress. Everything else is a claim, which is logged and never trusted.
 * Byte shape: TLVs 8001 host, 8002 port u16, or 8003 service name; 8004 TLS to the host (empty); 0010 client address
 * (client-address.ts), 0012 front end (text), 0013 application protocol (RFC 7301).
 * Spec: docs/protocol.md section 3.5.
 */
import { putU16, text, u16, utf8, utf8AtMost } from './bytes.ts';
import { type ClientAddress, decodeClient, encodeClient } from './client-address.ts';
import { parseHost, parseDestination, type Destination } from './destination.ts';
import { ProtocolFault, wireCode } from './refusal.ts';
import { critical, decodeTlvs, encodeTlvs } from './tlv.ts';

export const frontEndKinds = ['forward', 'socks', 'http', 'sni', 'tls-termination', 'transparent', 'stdio'] as const;
export type FrontEndKind = (typeof frontEndKinds)[number];

export interface OpenRequest {
  readonly destination: Destination;
  readonly frontEnd?: FrontEndKind;
  /** The address of the local client as the ingress saw it. */
  readonly client?: ClientAddress;
  /** The protocol that the local client and the front end agreed on inside TLS, by its ALPN name: "h2". */
  readonly alpn?: string;
}

/**
 * `unsupported`: a critical TLV that is not known here; the stream is refused, the session lives. `invalid`: not a
 * destination.
 */
export type DecodedOpen =
  | { readonly ok: true; readonly request: OpenRequest }
  | { readonly ok: false; readonly why: 'unsupported' | 'invalid'; readonly reason: string };

const tlv = {
  host: 0x8001,
  port: 0x8002,
  service: 0x8003,
  tls: 0x8004,
  client: 0x0010,
  frontEnd: 0x0012,
  alpn: 0x0013,
} as const;
const known = new Set<number>(Object.values(tlv));
/**
 * RFC 7301 section 3.1 gives the name one octet of length. Visible ASCII only, so that the text is as long as its
 * bytes.
 */
const maxAlpnBytes = 255;
const isVisible = (byte: number): boolean => byte > 0x20 && byte < 0x7f;

export function encodeOpen({ destination, frontEnd, client, alpn }: OpenRequest): Uint8Array {
  const entries: [number, Uint8Array][] = [];
  if (destination.kind === 'host') {
    const port = new Uint8Array(2);
    putU16(port, 0, destination.port);
    entries.push([tlv.host, utf8(destination.host)], [tlv.port, port]);
    if (destination.tls) entries.push([tlv.tls, new Uint8Array(0)]);
  } else entries.push([tlv.service, utf8(destination.service)]);
  if (client !== undefined) entries.push([tlv.client, encodeClient(client)]);
  if (frontEnd !== undefined) entries.push([tlv.frontEnd, utf8(frontEnd)]);
  if (alpn !== undefined && alpn !== '') entries.push([tlv.alpn, utf8AtMost(alpn, maxAlpnBytes)]);
  return encodeTlvs(entries);
}

/** Throws ProtocolFault only where the TLVs themselves are malformed. */
export function decodeOpen(payload: Uint8Array): DecodedOpen {
  const entries = decodeTlvs(payload);
  for (const type of entries.keys())
    if (type >= critical && !known.has(type))
      return { ok: false, why: 'unsupported', reason: `option ${type.toString(16)} of OPEN is not known here` };
  if ((entries.get(tlv.tls)?.length ?? 0) > 0)
    return { ok: false, why: 'unsupported', reason: 'the TLS option of OPEN is not known here' };
  const destination = destinationOf(entries);
  if (!destination.ok) return { ok: false, why: 'invalid', reason: destination.reason };
  const claimed = entries.get(tlv.client);
  const client = claimed && decodeClient(claimed);
  const alpn = entries.get(tlv.alpn);
  if (alpn && (alpn.length === 0 || alpn.length > maxAlpnBytes || !alpn.every(isVisible)))
    throw new ProtocolFault(wireCode.protocolError, 'an invalid application protocol');
  const named = entries.get(tlv.frontEnd);
  const frontEnd = named && frontEndKinds.find((one) => one === text(named));
  return {
    ok: true,
    request: {
      destination: destination.value,
      ...(client && { client }),
      ...(alpn && { alpn: text(alpn) }),
      ...(frontEnd && { frontEnd }),
    },
  };
}

function destinationOf(
  entries: Map<number, Uint8Array>,
): { ok: true; value: Destination } | { ok: false; reason: string } {
  const host = entries.get(tlv.host);
  const port = entries.get(tlv.port);
  const service = entries.get(tlv.service);
  const overTls = entries.has(tlv.tls);
  if (service && overTls)
    return { ok: false, reason: 'TLS is requested, but the policy says how a service is reached' };
  if (service && !host && !port) {
    const parsed = parseDestination(text(service));
    return parsed.ok && parsed.value.kind === 'host'
      ? { ok: false, reason: 'a host instead of a service name' }
      : parsed;
  }
  if (!host || port?.length !== 2 || service)
    return { ok: false, reason: 'OPEN has neither host and port nor a service' };
  const parsed = parseHost(text(host));
  if (!parsed.ok) return parsed;
  if (u16(port, 0) === 0) return { ok: false, reason: 'port 0' };
  return {
    ok: true,
    value: { kind: 'host', host: parsed.value, port: u16(port, 0), ...(overTls && { tls: true as const }) },
  };
}
