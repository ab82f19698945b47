/**
 * Where a stream wants to go: a host and a port, over TLS if `tls` is set, or the name of a service that the egress
 * defines.
 * Rule: every destination has one spelling, so that the policy compares what the dialer dials. Names are lower-case
 * A-labels without the final dot (RFC 1035, RFC 5890), addresses are canonical (address.ts), and a v4-mapped IPv6
 * address is the IPv4 address that it stands for.
 * Not here: resolving, IDNA mapping of Unicode names (done where people write them), what may be reached.
 */
import { formatAddress, parseAddress, unmapped, type Parsed } from './address.ts';

export { addressFamily, type Parsed } from './address.ts';

/** Where a TCP connection goes, or comes from. */
export interface HostPort {
  /** A lower-case name, or a canonical IP address without brackets. */
  readonly host: string;
  readonly port: number;
}

/** With `tls` the egress speaks TLS to it, and verifies its certificate for `host`. */
export type Destination =
  | ({ readonly kind: 'host'; readonly tls?: true } & HostPort)
  | { readonly kind: 'service'; readonly service: string };

const no = (reason: string): { readonly ok: false; readonly reason: string } => ({ ok: false, reason });

const label = /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/;
/** What `inet_aton` and the URL standard read as part of an address: decimal, octal, or hexadecimal digits. */
const numeric = /^(?:[0-9]+|0x[0-9a-f]*)$/;
const visibleAscii = /^[!-~]*$/;
const unicode = /[\u00a1-\uffff]/;

/** The canonical form of a host name, or why the text is not one. */
function parseName(text: string): Parsed<string> {
  const lower = text.toLowerCase();
  const name = lower.endsWith('.') ? lower.slice(0, -1) : lower;
  if (name === '') return no('the host is missing');
  if (name.length > 253) return no('the host name is longer than 253 characters');
  const labels = name.split('.');
  if (numeric.test(labels.at(-1)!))
    return no(
      'the host looks like an address but is not one: write IPv4 as four decimal numbers without leading zeros',
    );
  for (const part of labels) {
    if (part === '') return no('the host name has an empty label');
    if (part.length > 63) return no('the host name has a label longer than 63 characters');
    if (!label.test(part))
      return no(
        'the host name has characters other than letters, digits, dash, underscore and dot, or a label that ' +
          'begins or ends with a dash',
      );
  }
  return { ok: true, value: name };
}

/**
 * Parses a host into its one spelling: a lower-case A-label name without final dot, a dotted IPv4 address, or an RFC
 * 5952 IPv6 address without brackets and zone. Refused: NUL, control characters, whitespace, names over 253 characters,
 * labels over 63, Unicode names, and names whose last label is a number ("127.1", "2130706433", "0x7f.1"), because
 * resolvers read those as addresses.
 */
export function parseHost(text: string): Parsed<string> {
  if (text.length > 254) return no('the host name is longer than 253 characters');
  if (!visibleAscii.test(text))
    return no(
      unicode.test(text)
        ? 'the host name is not ASCII: write its A-label (xn--...)'
        : 'the host has a control character or a space',
    );
  const bytes = parseAddress(text);
  if (bytes !== undefined) return { ok: true, value: formatAddress(unmapped(bytes)) };
  if (text.includes(':')) return no('the host has a colon and is not an IPv6 address');
  return parseName(text);
}

/** A TCP port from 1 to 65535 in decimal digits without sign or leading zero. */
export function parsePort(text: string): Parsed<number> {
  if (text === '') return no('the port is missing');
  const port = /^[1-9][0-9]{0,4}$/.test(text) ? Number(text) : 0;
  return port > 0 && port <= 65535 ? { ok: true, value: port } : no('the port is not a number from 1 to 65535');
}

/** Whether it is a service name: 1 to 63 of a-z, 0-9 and inner dashes, at least one letter (RFC 6335 section 5.1). */
export function isServiceName(text: string): boolean {
  return text.length <= 63 && /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/.test(text) && /[a-z]/.test(text);
}

/** Parses "HOST:PORT" or "[V6]:PORT"; the text has a colon. */
function parseHostPort(text: string): Parsed<Destination> {
  const bracketed = text.startsWith('[');
  const colon = text.lastIndexOf(':');
  const hostText = bracketed ? text.slice(1, colon - 1) : text.slice(0, colon);
  if (bracketed ? text[colon - 1] !== ']' || !hostText.includes(':') : hostText.includes(':')) {
    return no(
      text.endsWith(']') || parseAddress(text) !== undefined
        ? 'the port is missing: write [ADDRESS]:PORT'
        : bracketed
          ? 'only an IPv6 address goes in brackets: [ADDRESS]:PORT'
          : 'an IPv6 address goes in brackets: [ADDRESS]:PORT',
    );
  }
  const host = parseHost(hostText);
  if (!host.ok) return host;
  const port = parsePort(text.slice(colon + 1));
  if (!port.ok) return port;
  return { ok: true, value: { kind: 'host', host: host.value, port: port.value } };
}

/** Parses "HOST:PORT", "[V6]:PORT" or "SERVICE". A text with a colon is never a service. */
export function parseDestination(text: string): Parsed<Destination> {
  if (text === '') return no('the destination is missing');
  if (text.includes(':')) return parseHostPort(text);
  if (isServiceName(text)) return { ok: true, value: { kind: 'service', service: text } };
  if (isServiceName(text.toLowerCase())) return no('service names are lower-case');
  return parseHost(text).ok
    ? no('the port is missing: write HOST:PORT')
    : no('it is neither HOST:PORT nor the name of a service');
}

const tlsScheme = 'tls://';

/** As `parseDestination`, and "tls://HOST:PORT", for options that may ask the egress to speak TLS. */
export function parseAnyDestination(text: string): Parsed<Destination> {
  if (!text.startsWith(tlsScheme)) return schemeRefusal(text) ?? parseDestination(text);
  const parsed = parseDestination(text.slice(tlsScheme.length));
  if (!parsed.ok) return parsed;
  return parsed.value.kind === 'service'
    ? no('tls:// is for HOST:PORT: the policy of the egress says whether a service is reached over TLS')
    : { ok: true, value: { ...parsed.value, tls: true } };
}

/** Why a text that begins with the scheme of a URL is no destination, but for `tls://`; undefined without a scheme. */
function schemeRefusal(text: string): { readonly ok: false; readonly reason: string } | undefined {
  const written = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1];
  if (written === undefined || written === 'tls') return undefined;
  const scheme = written.toLowerCase();
  if (scheme === 'tls') return no('tls:// is written in lower case');
  return no(
    scheme === 'udp'
      ? 'UDP is not forwarded (docs/out-of-scope.md)'
      : `${scheme}:// is not written: write HOST:PORT alone`,
  );
}

/**
 * Turns the name of a service into a host name, for protocols that know only hosts. `internal` is for private use and
 * never delegated.
 */
export const serviceHostSuffix = '.adit.internal';

/**
 * The destination of a client that can name hosts only; `host` is canonical. "web.adit.internal" is the service "web",
 * whatever the port.
 */
export function destinationOfHost(host: string, port: number): Parsed<Destination> {
  if (!host.endsWith(serviceHostSuffix)) return { ok: true, value: { kind: 'host', host, port } };
  const service = host.slice(0, -serviceHostSuffix.length);
  return isServiceName(service)
    ? { ok: true, value: { kind: 'service', service } }
    : no(`no service can have the name before ${serviceHostSuffix}`);
}

/** The text that `parseAnyDestination` reads back; without TLS `parseDestination` reads it too. */
export function formatDestination(destination: Destination): string {
  return destination.kind === 'service'
    ? destination.service
    : `${destination.tls ? tlsScheme : ''}${formatHostPort(destination.host, destination.port)}`;
}

/** "HOST:PORT", with brackets around IPv6. */
export function formatHostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
