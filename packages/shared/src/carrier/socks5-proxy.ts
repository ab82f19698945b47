/**
 * Asks a SOCKS5 proxy for a connection, over an open connection to it, and explains a refusal.
 * Rule: afterwards the socket belongs to the egress connection; the bytes after the reply are read first. The proxy
 * resolves the name of the egress.
 */
import type { Socket } from 'node:net';
import { AditError } from '../errors.ts';
import { drive } from '../net/drive.ts';
import { formatHostPort } from '../protocol/destination.ts';
import { formatProxy } from '../protocol/proxy-address.ts';
import { awaitSocks5, maxSocks5AnswerBytes, socks5Greeting, type Socks5Answer } from '../protocol/socks5-client.ts';
import { proxyCodes, type AskOptions } from './http-proxy.ts';

/** Replies of a proxy that allows the connection and could not make it (RFC 1928 section 6). */
const unreachable = new Set([1, 3, 4, 5, 6]);

/**
 * Rejects with PROXY_AUTH_REQUIRED, PROXY_REFUSED, EGRESS_UNREACHABLE or PROXY_FAILED. The caller then destroys the
 * socket.
 */
export async function askSocks5Proxy(socket: Socket, { proxy, to, deadlineMs, signal }: AskOptions): Promise<void> {
  const request = { ...to, ...(proxy.credentials && { credentials: proxy.credentials }) };
  const handshake = awaitSocks5(request);
  socket.write(socks5Greeting(request));
  const { value, rest } = await drive(socket, handshake, {
    deadlineMs,
    ...(signal && { signal }),
    maxBytes: maxSocks5AnswerBytes,
    codes: proxyCodes,
    peer: `the proxy ${formatProxy(proxy)}`,
  });
  if (!value.ok) throw refusal(value, { proxy, to });
  if (rest.length > 0) socket.unshift(rest);
}

function refusal(
  answer: Exclude<Socks5Answer, { ok: true }>,
  { proxy, to }: Pick<AskOptions, 'proxy' | 'to'>,
): AditError {
  const name = `the proxy ${formatProxy(proxy)}`;
  if (answer.step !== 'connect')
    return new AditError('PROXY_AUTH_REQUIRED', `${name} refuses to log us in: ${answer.reason}`);
  const said = `${formatHostPort(to.host, to.port)}: ${answer.reason} (SOCKS reply ${answer.reply})`;
  return unreachable.has(answer.reply)
    ? new AditError('EGRESS_UNREACHABLE', `${name} cannot reach ${said}`)
    : new AditError('PROXY_REFUSED', `${name} does not allow a connection to ${said}`);
}
