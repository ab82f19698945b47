/**
 * Asks a SOCKS5 proxy for a connection, on a connection to it that is open already, and says what a refusal means.
 * Rule: after this the socket is the egress's: what came after the reply is read first. The name of the egress is
 * resolved by the proxy.
 */
import type { Socket } from 'node:net';
import { AditError } from '../errors.ts';
import { drive } from '../net/drive.ts';
import { formatHostPort } from '../protocol/destination.ts';
import { formatProxy } from '../protocol/proxy-address.ts';
import { awaitSocks5, maxSocks5AnswerBytes, socks5Greeting, type Socks5Answer } from '../protocol/socks5-client.ts';
import { proxyCodes, type AskOptions } from './http-proxy.ts';

/** Replies that say that the proxy would and could not: RFC 1928 section 6. */
const unreachable = new Set([1, 3, 4, 5, 6]);

/**
 * Rejects with PROXY_AUTH_REQUIRED, PROXY_REFUSED, EGRESS_UNREACHABLE or PROXY_FAILED; the socket is then the caller's
 * to destroy.
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
    return new AditError('PROXY_AUTH_REQUIRED', `${name} does not let us in: ${answer.reason}`);
  const said = `${formatHostPort(to.host, to.port)}: ${answer.reason} (SOCKS reply ${answer.reply})`;
  return unreachable.has(answer.reply)
    ? new AditError('EGRESS_UNREACHABLE', `${name} cannot reach ${said}`)
    : new AditError('PROXY_REFUSED', `${name} does not allow a connection to ${said}`);
}
