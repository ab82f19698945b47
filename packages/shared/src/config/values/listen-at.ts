/**
 * Where a front end listens: `[BIND:]PORT` as in ssh's -L and -D, the path of a Unix socket, or `systemd:NAME` for
 * sockets that systemd opened. With `?accept-proxy` at the end, every connection begins with a PROXY protocol header.
 * Rule: without a bind address it is 127.0.0.1 only; `*` or an empty bind (`:1080`) is every address of the machine. A
 * text with a `/`, or one that ends in `.sock`, is a Unix socket. An unknown option after a `?` is refused.
 * Not here: listening; which sockets systemd opened (net/activation.ts).
 */
import { isAbsolute, join } from 'node:path';
import { parseHost, type HostPort } from '../../protocol/destination.ts';
import { quote } from '../complaint.ts';
import { parseListenPort } from './host-port.ts';
import { parsed, unparsed, type Parsed } from '../parsed.ts';

/** Port 0: the kernel chooses. Host `::` accepts IPv4 too. */
export type ListenAt =
  | ({ readonly kind: 'tcp' } & HostPort)
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'systemd'; readonly name: string };

export interface Listening {
  readonly listen: ListenAt;
  /** Each connection begins with a PROXY protocol header, which names its client. */
  readonly acceptProxy?: true;
}

/** Where a listener is, and the text as the user wrote it, for logs and complaints. */
export interface ListenSpec extends Listening {
  readonly spec: string;
}

/** The shortest sun_path that we know (macOS: 104 bytes), without its final NUL. */
const maxSocketPath = 103;
const example = 'write [BIND:]PORT, as in 1080 or 127.0.0.1:1080, or the path of a Unix socket, as in ./proxy.sock';

/**
 * A whole setting: `1080`, `127.0.0.1:1080`, `[::1]:1080`, `*:1080`, `./proxy.sock`, `systemd:socks`,
 * `1080?accept-proxy`.
 */
export function parseListenSpec(text: string, from?: string): Parsed<ListenSpec> {
  return parseListening(text, from, parsePort);
}

/** The same, with `parseTcp` for the spelling of a TCP address. */
export function parseListening(
  text: string,
  from: string | undefined,
  parseTcp: (place: string) => Parsed<ListenAt>,
): Parsed<ListenSpec> {
  const cut = cutOption(text);
  if (!cut.ok) return cut;
  const { place, ...option } = cut.value;
  const listen = place.startsWith(activated)
    ? parseSocketName(place.slice(activated.length))
    : isSocketPath(place)
      ? parseSocketPath(place, from)
      : parseTcp(place);
  return listen.ok ? parsed({ listen: listen.value, ...option, spec: text }) : listen;
}

const activated = 'systemd:';
const acceptProxy = '?accept-proxy';

/** The place before the `?`, and the option after it. */
export function cutOption(text: string): Parsed<{ readonly place: string; readonly acceptProxy?: true }> {
  const mark = text.indexOf('?');
  if (mark < 0) return parsed({ place: text });
  return text.slice(mark) === acceptProxy
    ? parsed({ place: text.slice(0, mark), acceptProxy: true })
    : unparsed(`${quote(text.slice(mark))} is not an option of a listener: only ${acceptProxy} is`);
}

/**
 * FileDescriptorName= of systemd.socket(5): ASCII without control characters and colons, at most 255 bytes; here also
 * without brackets.
 */
export function parseSocketName(name: string): Parsed<ListenAt> {
  if (name === '')
    return unparsed('the name is missing: write systemd:NAME with the FileDescriptorName= of the .socket unit');
  return /^[\x20-\x39\x3b-\x5a\x5c\x5e-\x7e]{1,255}$/.test(name)
    ? parsed({ kind: 'systemd', name })
    : unparsed(
        'not a name that systemd gives a socket: letters, digits and punctuation, without colon and ' +
          'brackets, at most 255',
      );
}

function parsePort(text: string): Parsed<ListenAt> {
  const parts = splitAtColons(text);
  if (parts === undefined) return unparsed(`a bracket is not closed or is in the wrong place: ${example}`);
  if (parts.length > 2)
    return unparsed(`too many colons: ${example}, and an IPv6 address in brackets, as in [::1]:1080`);
  return parseBind(parts, example);
}

export function isSocketPath(text: string): boolean {
  return text.includes('/') || text.endsWith('.sock');
}

/** The parts between colons outside brackets; undefined if the brackets are wrong. */
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
  return bytes > maxSocketPath
    ? unparsed(`the path of the socket has ${bytes} bytes, but at most ${maxSocketPath} fit: use a shorter one`)
    : parsed({ kind: 'unix', path });
}

/** `[PORT]` or `[BIND, PORT]`; `advice` ends a complaint about the port. */
export function parseBind(parts: readonly string[], advice: string): Parsed<ListenAt> {
  const port = parseListenPort(parts.at(-1)!);
  if (!port.ok) return unparsed(`${port.reason.replace('the port', 'the local port')}: ${advice}`);
  const bind = parts.length === 1 ? '127.0.0.1' : parts[0]!;
  const bracketed = bind.startsWith('[');
  if (bracketed && !bind.includes(':')) return unparsed('only an IPv6 address goes in brackets');
  const host = bind === '' || bind === '*' ? parsed('::') : parseHost(bracketed ? bind.slice(1, -1) : bind);
  return host.ok
    ? parsed({ kind: 'tcp', host: host.value, port: port.value })
    : unparsed(host.reason.replace('the host', 'the bind address'));
}
