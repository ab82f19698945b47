/**
 * A static forward in the words of ssh's -L: `[bind:]port:host:hostport`, `[bind:]port:service`, `path.sock:host:port`, `path.sock:service`.
 * Rule: without a bind address it listens on 127.0.0.1 only; `*` or an empty bind (`:5432:db:5432`) says every address of the machine.
 * What ends in digits after a colon is host and port, anything else a service; what holds a `/` or ends in `.sock` is a Unix socket.
 * Not here: listening, resolving (the egress resolves names). Spec: ssh(1), -L; docs/configuration.md.
 */
import { formatDestination, formatHostPort, parseDestination, type Destination } from '../protocol/destination.ts';
import { isSocketPath, parseBind, parseSocketPath, splitAtColons, type ListenSpec } from './listen-at.ts';
import { parsed, unparsed, type Parsed } from './parsed.ts';

export interface Forward extends ListenSpec { readonly destination: Destination }

const example = 'write [BIND:]PORT:HOST:PORT, as in 5432:db.internal:5432, or [BIND:]PORT:SERVICE';

export function parseForward(text: string, from?: string): Parsed<Forward> {
  const parts = splitAtColons(text);
  if (parts === undefined) return unparsed(`a bracket is not closed or stands in the wrong place: ${example}`);
  const unix = isSocketPath(parts[0] ?? '');
  const tail = /^\d+$/.test(parts.at(-1) ?? '') ? 2 : 1;
  const listening = unix ? parts.slice(0, 1) : parts.slice(0, -tail);
  if (parts.length < 2 || listening.length === 0) return unparsed(`incomplete: ${example}`);
  if (listening.length > 2) return unparsed(`too many colons: an IPv6 address goes in brackets, as in [::1]:8080:[fd00::1]:80`);
  const listen = unix ? parseSocketPath(listening[0]!, from) : parseBind(listening, example);
  if (!listen.ok) return listen;
  const destination = parseDestination(parts.slice(listening.length).join(':'));
  return destination.ok ? parsed({ listen: listen.value, destination: destination.value, spec: text }) : destination;
}

/** The text that parses back to the forward, with its bind address spelled out. */
export function formatForward({ listen, destination }: Pick<Forward, 'listen' | 'destination'>): string {
  return `${listen.kind === 'unix' ? listen.path : formatHostPort(listen.host, listen.port)}:${formatDestination(destination)}`;
}
