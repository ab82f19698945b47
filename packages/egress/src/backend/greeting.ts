/**
 * The PROXY protocol header that a service with `proxy-protocol` gets before the bytes of a stream: it says who the
 * client is.
 * Rule: the identity is the proven one. The source address is what the ingress claims about its client, or the address
 * that the session comes from where the ingress claims none. Version 2 has these TLVs: ALPN, the protocol of the client
 * as the ingress claims it; AUTHORITY, the service that was asked for; UNIQUE_ID, session and stream as in the access
 * record; SSL, the name in the verified client certificate; 0xE4, its URI; 0xE5, where the session comes from.
 */
import { formatAddress, parseAddress } from '@adit/shared/protocol/address';
import type { ClientAddress } from '@adit/shared/protocol/client-address';
import { addressFamily, parseDestination } from '@adit/shared/protocol/destination';
import { type Endpoint, proxyTlv, type ProxyTlv } from '@adit/shared/protocol/proxy-protocol';
import { proxyBlock, type ProxyEnds, proxyLine, sslTlvOf } from '@adit/shared/protocol/proxy-protocol-writer';
import type { ProxyProtocol } from '../policy/service.ts';

export interface Caller {
  readonly identity: { readonly name: string; readonly uri: string };
  /** The local client, as the ingress claims it. */
  readonly client?: ClientAddress;
  /** What the client speaks, as the ingress claims it. */
  readonly alpn?: string;
  /** Where the session comes from. */
  readonly remote: string;
  /** The service that was asked for. */
  readonly requested: string;
  /** Which stream of which session. */
  readonly stream: string;
}

/** TLVs of our own, of the range for private use (section 2.2.8 leaves 0xE0 to 0xEF). */
export const ownTlv = { identity: 0xe4, remote: 0xe5 } as const;
/** The version of every connection from a client, carriers and CONNECT alike. */
const tlsVersion = 'TLSv1.3';
const nowhere = { 4: { host: '0.0.0.0', port: 0 }, 6: { host: '::', port: 0 } } as const;

/** The header for a stream; `to` is the address that was dialled, absent for a Unix socket. */
export function greeting(version: ProxyProtocol, caller: Caller, to?: Endpoint): Uint8Array {
  const source = caller.client && caller.client !== 'local' ? caller.client : endpointOf(caller.remote);
  const ends = source && endsOf(source, to);
  return version === 'v1' ? proxyLine(ends) : proxyBlock({ ...(ends && { ends }), tlvs: tlvsOf(caller) });
}

/** The header of a probe, which has no client. */
export function ownGreeting(version: ProxyProtocol): Uint8Array {
  return version === 'v1' ? proxyLine() : proxyBlock({ command: 'LOCAL' });
}

function tlvsOf({ identity, alpn, remote, requested, stream }: Caller): ProxyTlv[] {
  const text = (type: number, value: string): ProxyTlv => ({ type, value: Buffer.from(value) });
  return [
    ...(alpn === undefined ? [] : [text(proxyTlv.alpn, alpn)]),
    text(proxyTlv.authority, requested),
    text(proxyTlv.uniqueId, stream),
    sslTlvOf({ version: tlsVersion, commonName: identity.name }),
    text(ownTlv.identity, identity.uri),
    text(ownTlv.remote, remote),
  ];
}

function endpointOf(remote: string): Endpoint | undefined {
  const parsed = parseDestination(remote);
  return parsed.ok && parsed.value.kind === 'host' && addressFamily(parsed.value.host) !== 0
    ? { host: parsed.value.host, port: parsed.value.port }
    : undefined;
}

/** Both of one family: an IPv4 address beside an IPv6 one is written v4-mapped (RFC 4291 section 2.5.5.2). */
function endsOf(source: Endpoint, to: Endpoint | undefined): ProxyEnds {
  const six = addressFamily(source.host) === 6;
  const destination = to ?? nowhere[six ? 6 : 4];
  return six === (addressFamily(destination.host) === 6)
    ? { source, destination }
    : { source: mapped(source), destination: mapped(destination) };
}

function mapped({ host, port }: Endpoint): Endpoint {
  const bytes = parseAddress(host)!;
  return bytes.length === 16
    ? { host, port }
    : { host: formatAddress(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...bytes)), port };
}
