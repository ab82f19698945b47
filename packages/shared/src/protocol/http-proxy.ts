/**
 * How an HTTP proxy reads a request and a response that a parser has parsed: the destination, the fields that are
 * passed on, and the refusals.
 * Rule: what is passed on is written anew from what was understood, and never more than that. Fields about one
 * connection stay on it, and so do the credentials for the proxy. A request that could be read in two ways is refused.
 * Not here: parsing messages, their bodies and framing. Node's parser does that strictly (no folded lines, no bare CR
 * or LF, not both a length and a transfer coding), and it is better maintained than one of our own would be.
 * Spec: RFC 9112 section 3.2 (targets), RFC 9110 sections 7.6.1 (Connection) and 7.6.3 (Via), RFC 9209 (Proxy-Status),
 * RFC 7617 (Basic).
 */
import type { Parsed } from './address.ts';
import { concat, text, utf8 } from './bytes.ts';
import { destinationOfHost, formatHostPort, parseDestination, type Destination } from './destination.ts';

/** Names and values alternating, as received. */
export type RawFields = readonly string[];

/** A request for `http://host:port/path`. */
export interface AbsoluteTarget {
  readonly destination: Destination;
  /** Host and, where the URI has one, port: the Host field for the service. */
  readonly authority: string;
  /** The target in the request to the service: "/path?query". */
  readonly origin: string;
}

/** Fields about one connection (RFC 9110 section 7.6.1), or for the proxy. Framing is written anew. */
const ofOneConnection = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'proxy-authorization',
  'proxy-authenticate',
  'proxy-authentication-info',
]);
/** A Connection field cannot remove these: without them the message would mean something else. */
const always = new Set(['content-length', 'host']);
const via = '1.1 adit';

/** HOST:PORT or SERVICE of a CONNECT request. A name below adit.internal is a service, here and in a URI. */
export function connectTarget(target: string): Parsed<Destination> {
  const parsed = parseDestination(target);
  return parsed.ok && parsed.value.kind === 'host' ? destinationOfHost(parsed.value.host, parsed.value.port) : parsed;
}

/** The target of any other request to a proxy. */
export function absoluteTarget(method: string, target: string): Parsed<AbsoluteTarget> {
  const [, scheme = '', authority = '', rest = ''] = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)([^#]*)$/i.exec(target) ?? [];
  if (scheme === '')
    return {
      ok: false,
      reason:
        'this is a proxy, and the request is for a server: its target has to be a whole URI, as in http://example.org/',
    };
  if (scheme.toLowerCase() !== 'http')
    return { ok: false, reason: `${scheme}:// cannot be read by a proxy: use CONNECT` };
  if (authority.includes('@'))
    return { ok: false, reason: 'a user or password in the URI is not passed on: use Authorization' };
  const bare = authority.replace(/:$/, '');
  const parsed = parseDestination(/:[0-9]+$/.test(bare) ? bare : `${bare}:80`);
  if (!parsed.ok) return parsed;
  if (parsed.value.kind === 'service') return { ok: false, reason: 'the host is missing' };
  const { host, port } = parsed.value;
  const destination = destinationOfHost(host, port);
  if (!destination.ok) return destination;
  const origin = rest === '' && method === 'OPTIONS' ? '*' : rest.startsWith('/') ? rest : `/${rest}`;
  return {
    ok: true,
    value: {
      destination: destination.value,
      authority: port === 80 ? formatHostPort(host, 0).slice(0, -2) : formatHostPort(host, port),
      origin,
    },
  };
}

/** Why the request is ambiguous; undefined if it is not. */
export function ambiguity({
  version,
  connect,
  fields,
}: {
  readonly version: string;
  readonly connect: boolean;
  readonly fields: RawFields;
}): string | undefined {
  const count = (name: string): number => valuesOf(fields, name).length;
  if (version !== '1.1' && version !== '1.0') return `this is a proxy for HTTP/1.1, not for HTTP/${version}`;
  if (count('host') > 1 || (version === '1.1' && count('host') === 0)) return 'a request has one Host';
  if (count('content-length') > 1) return 'a request has at most one Content-Length';
  if (count('transfer-encoding') > 0 && (version === '1.0' || count('content-length') > 0))
    return 'a Transfer-Encoding that is not to be trusted';
  if (valuesOf(fields, 'transfer-encoding').some((value) => value.trim().toLowerCase() !== 'chunked'))
    return 'a transfer coding other than chunked';
  if (connect && count('content-length') + count('transfer-encoding') > 0) return 'CONNECT has no content';
  return undefined;
}

/** The fields that are passed on to the service, in their order. */
export function requestFields(fields: RawFields, authority: string): string[] {
  return [
    'Host',
    authority,
    ...passed(fields, new Set(['host', 'via'])),
    'Via',
    [...valuesOf(fields, 'via'), via].join(', '),
    'Connection',
    'close',
  ];
}

/** The fields that are passed on to the client. */
export function responseFields(fields: RawFields): string[] {
  return [
    ...passed(fields, new Set(['via'])),
    'Via',
    [...valuesOf(fields, 'via'), via].join(', '),
    'Connection',
    'close',
  ];
}

/** Whether the request has content. */
export function hasContent(fields: RawFields): boolean {
  return valuesOf(fields, 'content-length').length + valuesOf(fields, 'transfer-encoding').length > 0;
}

/** User and password of the one Proxy-Authorization: Basic; undefined without it. */
export function basicUser(fields: RawFields): { readonly user: string; readonly password: string } | undefined {
  const [value, ...more] = valuesOf(fields, 'proxy-authorization');
  const encoded = more.length > 0 ? undefined : /^basic +([a-z0-9+/]+)={0,2}$/i.exec(value ?? '')?.[1];
  if (encoded === undefined || encoded.length % 4 === 1) return undefined;
  const decoded = text(Uint8Array.from(atob(encoded), (char) => char.charCodeAt(0)));
  const colon = decoded.indexOf(':');
  return colon < 0 ? undefined : { user: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}

export interface ProxyRefusal {
  readonly status: number;
  /** Error type of RFC 9209 section 2.3. */
  readonly proxyStatus: string;
  readonly code: string;
  readonly reason: string;
  readonly advice: string;
  /** The request was a HEAD: its answer has no content. */
  readonly head?: boolean;
}

const phrases: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  407: 'Proxy Authentication Required',
  408: 'Request Timeout',
  417: 'Expectation Failed',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
};

/** A whole response that ends the connection: the reason for people in the body, for programs in Proxy-Status. */
export function refusalResponse({
  status,
  proxyStatus,
  code,
  reason,
  advice,
  head: bare = false,
}: ProxyRefusal): Uint8Array {
  const body = utf8(`${code}: ${reason}\n${advice}\n`);
  // sf-string (RFC 8941): printable ASCII.
  const details = reason.replace(/[^ -~]/g, '?').replace(/["\\]/g, '\\$&');
  const head = [
    `HTTP/1.1 ${status} ${phrases[status] ?? 'Error'}`,
    `Proxy-Status: adit; error=${proxyStatus}; details="${details}"; adit-code=${code}`,
    ...(status === 407 ? ['Proxy-Authenticate: Basic realm="adit", charset="UTF-8"'] : []),
    'Content-Type: text/plain; charset=utf-8',
    'Cache-Control: no-store',
    `Content-Length: ${body.length}`,
    'Connection: close',
    '',
    '',
  ].join('\r\n');
  return bare ? utf8(head) : concat([utf8(head), body]);
}

/** The answer to a CONNECT that succeeded. */
export const connectAccepted: Uint8Array = utf8('HTTP/1.1 200 Connection established\r\n\r\n');

function valuesOf(fields: RawFields, name: string): string[] {
  const values: string[] = [];
  for (let at = 0; at + 1 < fields.length; at += 2)
    if (fields[at]!.toLowerCase() === name) values.push(fields[at + 1]!);
  return values;
}

function passed(fields: RawFields, without: ReadonlySet<string>): string[] {
  const named = new Set(
    valuesOf(fields, 'connection').flatMap((value) =>
      value
        .toLowerCase()
        .split(',')
        .map((one) => one.trim()),
    ),
  );
  const out: string[] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const name = fields[at]!.toLowerCase();
    if (without.has(name) || ofOneConnection.has(name) || (named.has(name) && !always.has(name))) continue;
    out.push(fields[at]!, fields[at + 1]!);
  }
  return out;
}
