/**
 * Where a front end listens: `[BIND:]PORT` as in ssh's -L and -D, or the path of a Unix socket.
 * Rule: without a bind address it is 127.0.0.1 only; `*` or an empty bind (`:1080`) says every address of the machine.
 * What holds a `/` or ends in `.sock` is a Unix socket.
 * Not here: listening.
 */
import { isAbsolute, join } from 'node:path';
import { parseHost } from '../protocol/destination.ts';
import { parseListenPort } from './host-port.ts';
import { parsed, unparsed, type Parsed } from './parsed.ts';

/** Port 0: the kernel chooses. Host `::` takes IPv4 too. */
export type ListenAt = { readonly kind: 'tcp'; readonly host: string; readonly port: number } | { readonly kind: 'unix'; readonly path: string };

/** Where a listener is, and the text as the user wrote it, for logs and complaints. */
export interface ListenSpec { readonly listen: ListenAt; readonly spec: string }

/** sun_path less its final NUL on the narrowest system we know (macOS: 104). */
const maxSocketPath = 103;
const example = 'write [BIND:]PORT, as in 1080 or 127.0.0.1:1080, or the path of a Unix socket, as in ./proxy.sock';

/** A whole setting: `1080`, `127.0.0.1:1080`, `[::1]:1080`, `*:1080`, `./proxy.sock`. */
export function parseListenSpec(text: string, from?: string): Parsed<ListenSpec> {
  const listen = isSocketPath(text) ? parseSocketPath(text, from) : parsePort(text);
  return listen.ok ? parsed({ listen: listen.value, spec: text }) : listen;
}

function parsePort(text: string): Parsed<ListenAt> {
  const parts = splitAtColons(text);
  if (parts === undefined) return unparsed(`a bracket is not closed or stands in the wrong place: ${example}`);
  if (parts.length > 2) return unparsed(`too many colons: ${example}, and an IPv6 address in brackets, as in [::1]:1080`);
  return parseBind(parts, example);
}

export function isSocketPath(text: string): boolean { return text.includes('/') || text.endsWith('.sock'); }

/** The parts between colons, where a colon in brackets is none; undefined when the brackets are wrong. */
export function splitAtColons(text: string): string[] | undefined {
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

export function parseSocketPath(text: string, from: string | undefined): Parsed<ListenAt> {
  const path = from === undefined || isAbsolute(text) ? text : join(from, text);
  if (path.includes('\0')) return unparsed('a path cannot hold a NUL character');
  if (path.endsWith('/')) return unparsed('the path of the socket ends in a slash: name a file, as in ./docker.sock');
  const bytes = Buffer.byteLength(path);
  return bytes > maxSocketPath ? unparsed(`the path of the socket has ${bytes} bytes and at most ${maxSocketPath} fit: use a shorter one`) : parsed({ kind: 'unix', path });
}

/** `[PORT]` or `[BIND, PORT]`; `advice` ends a complaint about the port. */
export function parseBind(parts: readonly string[], advice: string): Parsed<ListenAt> {
  const port = parseListenPort(parts.at(-1)!);
  if (!port.ok) return unparsed(`${port.reason.replace('the port', 'the local port')}: ${advice}`);
  const bind = parts.length === 1 ? '127.0.0.1' : parts[0]!;
  const bracketed = bind.startsWith('[');
  if (bracketed && !bind.includes(':')) return unparsed('only an IPv6 address goes in brackets');
  const host = bind === '' || bind === '*' ? parsed('::') : parseHost(bracketed ? bind.slice(1, -1) : bind);
  return host.ok ? parsed({ kind: 'tcp', host: host.value, port: port.value }) : unparsed(host.reason.replace('the host', 'the bind address'));
}
