/**
 * What a rule allows or denies: SERVICE, HOST:PORTS, *.SUFFIX:PORTS, ADDRESS:PORTS, RANGE:PORTS, [V6]:PORTS,
 * [V6/LEN]:PORTS, *:PORTS.
 * Rule: a pattern has one meaning; any other text is refused, and the complaint says what to write instead.
 * Not here: whether a service exists (schema.ts), which addresses a pattern may reach (grants.ts, special.ts).
 */
import { type Cidr, parseCidr, type Parsed } from '@adit/shared/protocol/address';
import { addressFamily, isServiceName, parseHost } from '@adit/shared/protocol/destination';
import { parsePorts, type Ports } from './ports.ts';

export type DestinationPattern =
  | { readonly kind: 'service'; readonly service: string }
  | { readonly kind: 'name'; readonly host: string; readonly ports: Ports }
  /** `suffix` begins with its dot: ".svc.internal" stands for every name with at least one label before it. */
  | { readonly kind: 'suffix'; readonly suffix: string; readonly ports: Ports }
  | { readonly kind: 'range'; readonly range: Cidr; readonly ports: Ports }
  | { readonly kind: 'any'; readonly ports: Ports };

const no = (reason: string): { readonly ok: false; readonly reason: string } => ({ ok: false, reason });

/** Reads one pattern. */
export function parseDestinationPattern(text: string): Parsed<DestinationPattern> {
  const colon = text.lastIndexOf(':');
  if (colon < 0) return parseBare(text);
  const host = text.slice(0, colon);
  const ports =
    host.startsWith('[') === host.endsWith(']')
      ? parsePorts(text.slice(colon + 1))
      : no('the ports are missing: write [ADDRESS]:PORTS');
  if (!ports.ok) return ports;
  return parseHostPattern(host, ports.value);
}

function parseBare(text: string): Parsed<DestinationPattern> {
  if (isServiceName(text)) return { ok: true, value: { kind: 'service', service: text } };
  if (text === '*')
    return no('the ports are missing: "*:443" is port 443 of every public destination, "*:*" every port');
  if (text === '') return no('the destination is missing');
  return no(
    isServiceName(text.toLowerCase())
      ? 'service names are lower-case'
      : 'it is not the name of a service, and for a host the ports are missing: write HOST:PORTS',
  );
}

function parseHostPattern(host: string, ports: Ports): Parsed<DestinationPattern> {
  if (host === '*') return { ok: true, value: { kind: 'any', ports } };
  if (host.startsWith('[')) {
    const range = parseCidr(host.slice(1, -1));
    if (!range.ok) return range;
    return host.includes(':')
      ? { ok: true, value: { kind: 'range', range: range.value, ports } }
      : no('only IPv6 goes in brackets');
  }
  if (host.includes(':')) return no('IPv6 goes in brackets: [ADDRESS]:PORTS or [ADDRESS/LENGTH]:PORTS');
  if (host.includes('/') || addressFamily(host) === 4) {
    const range = parseCidr(host);
    return range.ok ? { ok: true, value: { kind: 'range', range: range.value, ports } } : range;
  }
  const wild = host.startsWith('*.');
  if (host.includes('*', wild ? 1 : 0))
    return no('"*" stands for a whole host, or for all before the first dot: write *.SUFFIX:PORTS');
  const name = parseHost(wild ? host.slice(2) : host);
  if (!name.ok) return name;
  return {
    ok: true,
    value: wild ? { kind: 'suffix', suffix: `.${name.value}`, ports } : { kind: 'name', host: name.value, ports },
  };
}
