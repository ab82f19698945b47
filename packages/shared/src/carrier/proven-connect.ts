/**
 * Asks for a tunnel by CONNECT of HTTP/1.1, over a connection whose far end is authenticated.
 * Rule: afterwards the connection is the tunnel; the bytes after the head of the answer are read first. If it fails the
 * connection is destroyed, and the reason is the proxy's own, as one of our codes.
 * Spec: RFC 9110 section 9.3.6.
 */
import type { ProvenConnection } from './proven-tls.ts';
import { drive } from '../net/drive.ts';
import type { HostPort } from '../protocol/destination.ts';
import { awaitConnectResponse, connectRequest, maxHeadBytes } from '../protocol/http-connect.ts';
import { denial, withAlert } from './connect-denial.ts';

export interface AskProvenOptions {
  readonly to: HostPort;
  readonly headers?: Readonly<Record<string, string>>;
  /** The name of the proxy in errors: "connect://proxy.example.org:443". */
  readonly name: string;
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

/**
 * Rejects with the code of the proxy's refusal, DIAL_TIMEOUT, LINK_LOST, PROTOCOL_ERROR, or CLIENT_CERT_... if it does
 * not accept our certificate.
 */
export async function askProven(
  { socket }: Pick<ProvenConnection, 'socket'>,
  { to, headers = {}, name, deadlineMs, signal }: AskProvenOptions,
): Promise<void> {
  try {
    socket.write(connectRequest({ ...to, headers }));
    const { value, rest } = await drive(socket, awaitConnectResponse(), {
      deadlineMs,
      signal,
      maxBytes: 2 * maxHeadBytes,
      codes: { timeout: 'DIAL_TIMEOUT', closed: 'LINK_LOST', garbage: 'PROTOCOL_ERROR' },
      peer: `the proxy ${name}`,
    });
    if (value.status < 200 || value.status > 299) throw denial(value.status, value.headers.get('proxy-status'));
    if (rest.length > 0) socket.unshift(rest);
  } catch (error) {
    socket.destroy();
    throw withAlert(error, name);
  }
}
