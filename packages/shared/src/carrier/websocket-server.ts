/**
 * The egress end of a WebSocket: answers an upgrade request and returns the duplex.
 * Rule: no compression, bounded messages, and only the subprotocol `adit.v1`. Bytes before the answer are refused,
 * because a client cannot know yet whether it speaks to an egress. The library `ws` makes the handshake and is lent the
 * socket for that only; the frames are ours (ADR 17).
 * Not here: which path, and who the peer is.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocketServer } from 'ws';
import { BorrowedDuplex } from '../net/borrowed-duplex.ts';
import { farewell } from '../net/farewell.ts';
import { WebSocketDuplex } from './websocket-duplex.ts';

export const subprotocol = 'adit.v1';

/** Loaded for the first upgrade: many an egress never sees one. */
let handshakes: WebSocketServer | undefined;

async function handshakesOf(): Promise<WebSocketServer> {
  if (handshakes) return handshakes;
  const ws = await import('ws');
  return (handshakes ??= new ws.WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    handleProtocols: () => subprotocol,
  }));
}

export interface UpgradeRequest {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** Upgrades and calls `opened`; or answers with a status and a reason, closes, and returns the reason. */
export function acceptUpgrade(
  { request, socket, head }: UpgradeRequest,
  opened: (duplex: WebSocketDuplex) => void,
): string | undefined {
  const refusal = whyNot(request, head);
  if (refusal !== undefined) {
    answer(socket, refusal);
    return refusal.reason;
  }
  const lent = new BorrowedDuplex({ socket });
  void handshakesOf().then((server) =>
    server.handleUpgrade(request, lent, head, () => {
      lent.giveBack();
      opened(new WebSocketDuplex(socket, 'server'));
    }),
  );
  return undefined;
}

export interface HttpRefusal {
  readonly status: string;
  readonly reason: string;
  readonly headers?: readonly string[];
}

function whyNot({ method, httpVersion, headers }: IncomingMessage, head: Buffer): HttpRefusal | undefined {
  if (method !== 'GET' || httpVersion !== '1.1')
    return {
      status: '405 Method Not Allowed',
      reason: 'an upgrade to WebSocket is a GET of HTTP/1.1',
      headers: ['Allow: GET'],
    };
  if (headers.upgrade?.toLowerCase() !== 'websocket')
    return { status: '400 Bad Request', reason: 'the only upgrade here is to websocket' };
  if (headers['sec-websocket-version'] !== '13')
    return {
      status: '426 Upgrade Required',
      reason: 'the WebSocket version is 13',
      headers: ['Sec-WebSocket-Version: 13'],
    };
  if (!/^[+/0-9A-Za-z]{22}==$/.test(headers['sec-websocket-key'] ?? ''))
    return { status: '400 Bad Request', reason: 'there is no valid Sec-WebSocket-Key' };
  if (!(headers['sec-websocket-protocol'] ?? '').split(',').some((name) => name.trim() === subprotocol))
    return { status: '400 Bad Request', reason: `the subprotocol here is ${subprotocol}` };
  if (head.length > 0 || headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined)
    return { status: '400 Bad Request', reason: 'nothing may follow the upgrade request before its answer' };
  return undefined;
}

/** Writes one complete HTTP/1.1 answer and ends the connection. */
export function answer(socket: Duplex, { status, reason, headers = [] }: HttpRefusal): void {
  const body = `${reason}\n`;
  void farewell(
    socket,
    [
      `HTTP/1.1 ${status}`,
      'Content-Type: text/plain; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
      ...headers,
      '',
      body,
    ].join('\r\n'),
  );
}
