/**
 * A route for TLS connections by their server name (SNI): `PATTERN=DESTINATION`, as in `www.example.com=web:443`,
 * `*.example.com=web`, `*.corp=:443` (the name itself, at port 443), `old.example.com=refuse`.
 * Rule: a pattern is one name, `*.` and a name for all names below it at any depth, or `*` for all others and for
 * clients without a name. So each name has one most specific pattern. `refuse` is never the name of a service here.
 * Not here: choosing among them (the front end does), resolving names (the egress does).
 */
import { parseAddress } from '../../protocol/address.ts';
import { parseDestination, parseHost, parsePort, type Destination } from '../../protocol/destination.ts';
import { parsed, unparsed, type Parsed } from '../parsed.ts';

export type SniTarget =
  | { readonly kind: 'fixed'; readonly destination: Destination }
  /** The server name itself, at this port. */
  | { readonly kind: 'same-name'; readonly port: number }
  | { readonly kind: 'refuse' };

export interface SniRoute {
  /** Lower-case; `*`, `*.NAME` or NAME. */
  readonly pattern: string;
  readonly target: SniTarget;
  /** As the user wrote it. */
  readonly spec: string;
}

const example =
  'write PATTERN=DESTINATION, as in www.example.com=web.internal:443, *.example.com=web, *.corp=:443 or *=refuse';

export function parseSniRoute(text: string): Parsed<SniRoute> {
  const equals = text.indexOf('=');
  if (equals < 0) return unparsed(`incomplete: ${example}`);
  const pattern = parsePattern(text.slice(0, equals));
  if (!pattern.ok) return pattern;
  const target = parseTarget(text.slice(equals + 1));
  return target.ok ? parsed({ pattern: pattern.value, target: target.value, spec: text }) : target;
}

function parsePattern(text: string): Parsed<string> {
  if (text === '*') return parsed(text);
  if (text === '') return unparsed(`the name is missing: ${example}`);
  const wild = text.startsWith('*.');
  const name = wild ? text.slice(2) : text;
  if (name.includes('*')) return unparsed('a * stands alone, or before the first dot, as in *.example.com');
  if (name.includes(':') || parseAddress(name))
    return unparsed('clients ask for names: an address or a port has no route');
  const host = parseHost(name);
  if (!host.ok) return unparsed(host.reason.replace('the host name', 'the name').replace('the host', 'the name'));
  return parsed(wild ? `*.${host.value}` : host.value);
}

function parseTarget(text: string): Parsed<SniTarget> {
  if (text === 'refuse') return parsed({ kind: 'refuse' });
  if (text.includes('://'))
    return unparsed('the TLS of the client goes on as it is: write HOST:PORT, :PORT, a SERVICE, or refuse');
  if (text.startsWith(':')) {
    const port = parsePort(text.slice(1));
    return port.ok ? parsed({ kind: 'same-name', port: port.value }) : port;
  }
  const destination = parseDestination(text);
  return destination.ok ? parsed({ kind: 'fixed', destination: destination.value }) : destination;
}
