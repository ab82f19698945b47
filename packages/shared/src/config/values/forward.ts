/**
 * A static forward in the syntax of ssh's -L: `[bind:]port:host:hostport`, `[bind:]port:service`,
 * `path.sock:host:port`, `path.sock:service`, `systemd:name:host:port`, `systemd:name:service`. With
 * `tls://host:hostport` the egress speaks TLS. `?accept-proxy` follows the place, as in `8080?accept-proxy:web`.
 * Rule: without a bind address it listens on 127.0.0.1 only; `*` or an empty bind (`:5432:db:5432`) is every address of
 * the machine. A text that ends in a colon and digits is host and port, any other is a service; a text with a `/`, or
 * one that ends in `.sock`, is a Unix socket.
 * Not here: listening, resolving (the egress resolves names). Spec: ssh(1), -L; docs/configuration.md.
 */
import { parseAnyDestination, type Destination } from '../../protocol/destination.ts';
import {
  cutOption,
  isSocketPath,
  parseBind,
  parseSocketName,
  parseSocketPath,
  splitAtColons,
  type ListenAt,
  type ListenSpec,
} from './listen-at.ts';
import { parsed, unparsed, type Parsed } from '../parsed.ts';

export interface Forward extends ListenSpec {
  readonly destination: Destination;
}

const example = 'write [BIND:]PORT:HOST:PORT, as in 5432:db.internal:5432, or [BIND:]PORT:SERVICE';

export function parseForward(text: string, from?: string): Parsed<Forward> {
  const scheme = text.search(/:[a-z][a-z0-9+.-]*:\/\//i);
  if (scheme >= 0) return parseSchemeForward(text, { at: scheme, from });
  const parts = splitAtColons(text);
  if (parts === undefined) return unparsed(`a bracket is not closed or is in the wrong place: ${example}`);
  const first = cutOption(parts[0] ?? '');
  const unix = isSocketPath(first.ok ? first.value.place : '');
  const tail = /^\d+$/.test(parts.at(-1) ?? '') ? 2 : 1;
  const taken = unix ? 1 : parts[0] === 'systemd' ? 2 : parts.length - tail;
  if (parts.length < 2 || taken < 1 || parts.length <= taken) return unparsed(`incomplete: ${example}`);
  if (taken > 2) return unparsed(`too many colons: an IPv6 address goes in brackets, as in [::1]:8080:[fd00::1]:80`);
  const cut = cutOption(parts[taken - 1]!);
  if (!cut.ok) return cut;
  const { place, ...option } = cut.value;
  const listen = placeOf([...parts.slice(0, taken - 1), place], { unix, from });
  if (!listen.ok) return listen;
  const destination = parseAnyDestination(parts.slice(taken).join(':'));
  return destination.ok
    ? parsed({ listen: listen.value, ...option, destination: destination.value, spec: text })
    : destination;
}

/** A forward whose destination has a scheme: the destination begins with the scheme. */
function parseSchemeForward(
  text: string,
  { at, from }: { readonly at: number; readonly from: string | undefined },
): Parsed<Forward> {
  const destination = parseAnyDestination(text.slice(at + 1));
  if (!destination.ok) return destination;
  const plain = parseForward(`${text.slice(0, at)}:tls`, from);
  return plain.ok ? parsed({ ...plain.value, destination: destination.value, spec: text }) : plain;
}

function placeOf(
  parts: readonly string[],
  { unix, from }: { readonly unix: boolean; readonly from: string | undefined },
): Parsed<ListenAt> {
  if (unix) return parseSocketPath(parts[0]!, from);
  return parts[0] === 'systemd' ? parseSocketName(parts[1]!) : parseBind(parts, example);
}
