/**
 * A static forward in the words of ssh's -L: `[bind:]port:host:hostport`, `[bind:]port:service`, `path.sock:host:port`, `path.sock:service`.
 * Rule: without a bind address it listens on 127.0.0.1 only; `*` or an empty bind (`:5432:db:5432`) says every address of the machine.
 * What ends in digits after a colon is host and port, anything else a service; what holds a `/` or ends in `.sock` is a Unix socket.
 * Not here: listening, resolving (the egress resolves names). Spec: ssh(1), -L; docs/configuration.md.
 */
import { isAbsolute, join } from 'node:path';
import { formatDestination, formatHostPort, parseDestination, parseHost, type Destination } from '../protocol/destination.ts';
import { parseListenPort } from './host-port.ts';
import { parsed, unparsed, type Parsed } from './parsed.ts';

export interface Forward {
  /** Port 0: the kernel chooses. Host `::` takes IPv4 too. */
  readonly listen: { readonly kind: 'tcp'; readonly host: string; readonly port: number } | { readonly kind: 'unix'; readonly path: string };
  readonly destination: Destination;
  /** The text as the user wrote it, for logs and complaints. */
  readonly spec: string;
}

/** sun_path less its final NUL on the narrowest system we know (macOS: 104). */
const maxSocketPath = 103;
const example = 'write [BIND:]PORT:HOST:PORT, as in 5432:db.internal:5432, or [BIND:]PORT:SERVICE';

export function parseForward(text: string, from?: string): Parsed<Forward> {
  const parts = split(text);
  if (parts === undefined) return unparsed(`a bracket is not closed or stands in the wrong place: ${example}`);
  const unix = isSocketPath(parts[0] ?? '');
  const tail = /^\d+$/.test(parts.at(-1) ?? '') ? 2 : 1;
  const listening = unix ? parts.slice(0, 1) : parts.slice(0, -tail);
  if (parts.length < 2 || listening.length === 0) return unparsed(`incomplete: ${example}`);
  if (listening.length > 2) return unparsed(`too many colons: an IPv6 address goes in brackets, as in [::1]:8080:[fd00::1]:80`);
  const listen = unix ? parseSocket(listening[0]!, from) : parseBind(listening);
  if (!listen.ok) return listen;
  const destination = parseDestination(parts.slice(listening.length).join(':'));
  return destination.ok ? parsed({ listen: listen.value, destination: destination.value, spec: text }) : destination;
}

/** The text that parses back to the forward, with its bind address spelled out. */
export function formatForward({ listen, destination }: Pick<Forward, 'listen' | 'destination'>): string {
  return `${listen.kind === 'unix' ? listen.path : formatHostPort(listen.host, listen.port)}:${formatDestination(destination)}`;
}

const isSocketPath = (text: string): boolean => text.includes('/') || text.endsWith('.sock');

/** The parts between colons, where a colon in brackets is none; undefined when the brackets are wrong. */
function split(text: string): string[] | undefined {
  const parts = text.match(/\[[^[\]]*\]|[^:[\]]+|:/g) ?? [];
  if (parts.join('') !== text) return undefined;
  const result = [''];
  for (const part of parts) {
    if (part === ':') result.push('');
    else if (result.at(-1) === '') result[result.length - 1] = part;
    else return undefined;
  }
  return result;
}

function parseSocket(text: string, from: string | undefined): Parsed<Forward['listen']> {
  const path = from === undefined || isAbsolute(text) ? text : join(from, text);
  if (path.includes('\0')) return unparsed('a path cannot hold a NUL character');
  if (path.endsWith('/')) return unparsed('the path of the socket ends in a slash: name a file, as in ./docker.sock');
  const bytes = Buffer.byteLength(path);
  return bytes > maxSocketPath ? unparsed(`the path of the socket has ${bytes} bytes and at most ${maxSocketPath} fit: use a shorter one`) : parsed({ kind: 'unix', path });
}

function parseBind(parts: readonly string[]): Parsed<Forward['listen']> {
  const port = parseListenPort(parts.at(-1)!);
  if (!port.ok) return unparsed(`${port.reason.replace('the port', 'the local port')}: ${example}`);
  const bind = parts.length === 1 ? '127.0.0.1' : parts[0]!;
  const bracketed = bind.startsWith('[');
  if (bracketed && !bind.includes(':')) return unparsed('only an IPv6 address goes in brackets');
  const host = bind === '' || bind === '*' ? parsed('::') : parseHost(bracketed ? bind.slice(1, -1) : bind);
  return host.ok ? parsed({ kind: 'tcp', host: host.value, port: port.value }) : unparsed(host.reason.replace('the host', 'the bind address'));
}
