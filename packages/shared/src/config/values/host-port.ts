/**
 * HOST:PORT as --listen and --egress take it: a name, an IPv4 address, or an IPv6 address in brackets, then the port.
 * Rule: nothing listens beyond loopback by accident: an empty host is refused; `*`, 0.0.0.0 or [::] must be explicit.
 * Not here: resolving names; destinations behind the egress (protocol/destination.ts, which spells hosts and ports the
 * same way).
 */
import { parseDestination, parseHost, parsePort, type HostPort } from '../../protocol/destination.ts';
import { parsed, unparsed, type Parsed } from '../parsed.ts';

/**
 * An address to listen on. Port 0 lets the kernel choose; `*` is every address of the machine (`::`, which accepts IPv4
 * too).
 */
export function parseListenAddress(text: string): Parsed<HostPort> {
  const colon = text.lastIndexOf(':');
  const host = text.slice(0, colon);
  if (colon === 0)
    return unparsed(
      `the host is missing: write 127.0.0.1${text} for this machine only, *${text} for every address it has`,
    );
  const port = parseListenPort(text.slice(colon + 1));
  if (colon > 0 && host === '*') return port.ok ? parsed({ host: '::', port: port.value }) : port;
  // Port 0 is not a destination: the host is parsed with another port.
  const address = parseDialAddress(colon > 0 && port.ok ? `${host}:1` : text);
  return address.ok && port.ok ? parsed({ host: address.value.host, port: port.value }) : address;
}

/** An address to connect to: the port is 1 to 65535. */
export function parseDialAddress(text: string): Parsed<HostPort> {
  const destination = parseDestination(text);
  if (!destination.ok) return destination;
  return destination.value.kind === 'host'
    ? parsed({ host: destination.value.host, port: destination.value.port })
    : unparsed('the port is missing: write HOST:PORT');
}

/** A port to listen on: 0 lets the kernel choose. */
export function parseListenPort(text: string): Parsed<number> {
  return text === '0'
    ? parsed(0)
    : /^\d/.test(text) || text === ''
      ? parsePort(text)
      : unparsed('the port is not a number from 0 to 65535');
}

/** --server-name: the name or address that the certificate of the egress must cover, without port and brackets. */
export function parseServerName(text: string): Parsed<string> {
  return text === '' ? unparsed('empty: write a name, as in tunnel.example.org') : parseHost(text);
}
