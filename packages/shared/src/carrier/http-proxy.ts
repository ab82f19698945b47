/**
 * Asks an HTTP proxy for a connection, over an open connection to it, and explains a refusal.
 * Rule: afterwards the socket belongs to the egress connection; the bytes after the head of the answer are read first.
 * A refusal names the proxy, the destination, the status and the proxy's own explanation, made safe; never the
 * password.
 * Spec: RFC 9110 section 9.3.6, RFC 7617 (Basic), RFC 9209 (Proxy-Status).
 */
import type { Socket } from 'node:net';
import { AditError, type Code } from '../errors.ts';
import { drive } from '../net/drive.ts';
import { safeText } from '../observe/safe-text.ts';
import { formatHostPort, type HostPort } from '../protocol/destination.ts';
import {
  awaitConnectResponse,
  basicCredentials,
  connectRequest,
  maxHeadBytes,
  type ConnectResponse,
} from '../protocol/http-connect.ts';
import { formatProxy, type ProxyAddress } from '../protocol/proxy-address.ts';

export interface AskOptions {
  readonly proxy: ProxyAddress;
  readonly to: HostPort;
  readonly deadlineMs: number;
  readonly signal?: AbortSignal;
  /** Beside the headers that every request has. SOCKS has none. */
  readonly headers?: Readonly<Record<string, string>>;
}

export const proxyCodes = {
  timeout: 'PROXY_FAILED',
  closed: 'PROXY_FAILED',
  garbage: 'PROXY_FAILED',
} as const satisfies Record<string, Code>;
/** How much of the body of a refusal is read, and how long. */
const maxBodyBytes = 4_096;
const bodyMs = 500;

/**
 * Rejects with PROXY_AUTH_REQUIRED, PROXY_REFUSED, EGRESS_UNREACHABLE or PROXY_FAILED. The caller then destroys the
 * socket.
 */
export async function askHttpProxy(
  socket: Socket,
  { proxy, to, deadlineMs, signal, headers: more }: AskOptions,
): Promise<void> {
  const { credentials } = proxy;
  const headers = {
    'User-Agent': 'adit',
    ...more,
    ...(credentials && { 'Proxy-Authorization': basicCredentials(credentials.user, credentials.password) }),
  };
  socket.write(connectRequest({ ...to, headers }));
  const { value, rest } = await drive(socket, awaitConnectResponse(), {
    deadlineMs,
    ...(signal && { signal }),
    maxBytes: maxHeadBytes,
    codes: proxyCodes,
    peer: `the proxy ${formatProxy(proxy)}`,
  });
  if (value.status < 200 || value.status > 299)
    throw refusal(value, await beginningOf(socket, rest, { headers: value.headers, signal }), { proxy, to });
  if (rest.length > 0) socket.unshift(rest);
}

function refusal(response: ConnectResponse, body: string, { proxy, to }: Pick<AskOptions, 'proxy' | 'to'>): AditError {
  const name = `the proxy ${formatProxy(proxy)}`;
  const where = formatHostPort(to.host, to.port);
  const { status, reason, headers } = response;
  const phrase = reason === '' ? '' : ` ${safeText(reason, { maxLength: 80 })}`;
  const said = `${status}${phrase}${explanation(headers, body)}`;
  if (status === 407)
    return new AditError(
      'PROXY_AUTH_REQUIRED',
      `${name} ${proxy.credentials ? 'does not accept this user and password' : 'wants a user and password'} ` +
        `(${said}); ${offers(headers)}`,
    );
  if (status === 502 || status === 503 || status === 504)
    return new AditError('EGRESS_UNREACHABLE', `${name} cannot reach ${where} (${said})`);
  if (status === 400 || status === 405 || status === 501)
    return new AditError('PROXY_REFUSED', `${name} does not support CONNECT, at least not to ${where} (${said})`);
  return new AditError('PROXY_REFUSED', `${name} does not allow a connection to ${where} (${said})`);
}

/** The explanation of the proxy: RFC 9209, then squid's header, then the text of the page. */
function explanation(headers: ReadonlyMap<string, string>, body: string): string {
  const notes = [
    headers.get('proxy-status'),
    headers.get('x-squid-error'),
    headers.get('content-encoding') === undefined ? plainText(body) : '',
  ];
  const note = notes.find((text) => text !== undefined && text !== '' && !/^err_none\b/i.test(text));
  return note === undefined ? '' : `: ${safeText(note, { maxLength: 200 })}`;
}

function plainText(body: string): string {
  return body
    .replace(/<!--.*?-->|<(style|script|head)\b.*?<\/\1\s*>|<[^>]*(?:>|$)/gis, ' ')
    .replace(/&nbsp;/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

/** Which ways to log in the proxy offers, and what to do if Basic is not among them. */
function offers(headers: ReadonlyMap<string, string>): string {
  const challenges = (headers.get('proxy-authenticate') ?? '').replace(/"(?:[^"\\]|\\.)*"/g, '""');
  const schemes = [
    ...new Set(
      [...challenges.matchAll(/(?:^|,)\s*([!#$%&'*+.^_`|~\w-]+)(?=\s+[^\s=,]|\s*(?:,|$))/g)].map(([, scheme]) =>
        safeText(scheme!, { maxLength: 30 }),
      ),
    ),
  ];
  if (schemes.length === 0) return 'it does not say which ways to log in it accepts';
  const list = `it accepts ${schemes.slice(0, 6).join(', ')}`;
  return schemes.some((scheme) => scheme.toLowerCase() === 'basic')
    ? list
    : `${list}, and Adit supports only Basic: use a local proxy that supports the others, such as cntlm or px`;
}

interface BodyOptions {
  readonly headers: ReadonlyMap<string, string>;
  readonly signal: AbortSignal | undefined;
}

/** The beginning of the body of a refusal, as far as it arrives soon. */
function beginningOf(socket: Socket, rest: Uint8Array, { headers, signal }: BodyOptions): Promise<string> {
  const length = Math.min(maxBodyBytes, Number(headers.get('content-length') ?? maxBodyBytes) || 0);
  return new Promise((resolve) => {
    const chunks = [rest];
    let bytes = rest.length;
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      socket.off('data', receive).off('end', done).off('close', done);
      resolve(Buffer.concat(chunks).subarray(0, length).toString());
    };
    const receive = (chunk: Buffer): void => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= length) done();
    };
    const timer = setTimeout(done, bodyMs);
    signal?.addEventListener('abort', done, { once: true });
    socket.on('data', receive).on('end', done).on('close', done);
    if (signal?.aborted || bytes >= length || socket.destroyed || socket.readableEnded) done();
    else socket.resume();
  });
}
