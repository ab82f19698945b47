/**
 * The ingress end of a WebSocket: asks for the upgrade on a connection that is open already.
 * Rule: one request, no redirects, no compression, subprotocol `adit.v1`; an answer that is no upgrade says which
 * server said what. Frames carry the masking key 0, which changes no byte: ADR 8 says why (RFC 6455 sections 5.3 and
 * 10.3).
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import { AditError, messageOf } from '../errors.ts';
import { attempt } from '../net/attempt.ts';
import type { Deadline } from '../net/deadline.ts';
import { safeText } from '../observe/safe-text.ts';
import { maxMessageBytes, WebSocketDuplex } from './websocket-duplex.ts';
import { subprotocol } from './websocket-server.ts';

export interface UpgradeOptions {
  /** The connection; owned from here on. */
  readonly over: Socket;
  /** For the Host header: "tunnel.example.org" or "tunnel.example.org:8443". */
  readonly authority: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** For complaints: "wss://tunnel.example.org/adit". */
  readonly peer: string;
  readonly deadline: Deadline;
  readonly signal: AbortSignal;
}

/** Rejects with EGRESS_UNREACHABLE or LINK_TIMEOUT; the connection is then gone. */
export function upgrade(options: UpgradeOptions): Promise<WebSocketDuplex> {
  const { over, peer, deadline, signal } = options;
  let webSocket: WebSocket | undefined;
  return attempt<WebSocketDuplex>(
    {
      deadline,
      signal,
      timedOut: () =>
        new AditError(
          'LINK_TIMEOUT',
          `${peer} did not answer the upgrade to WebSocket within ${deadline.totalMs / 1000} s`,
        ),
      aborted: () => new AditError('EGRESS_UNREACHABLE', `the connection to ${peer} was given up`),
      giveUp: () => {
        webSocket?.terminate();
        over.destroy();
      },
    },
    ({ succeed, fail }) => {
      const asked = (webSocket = ask(options));
      asked
        .on('error', (error) => fail(notUpgraded(error, peer)))
        .once('unexpected-response', (_request, response) => fail(explain(response, peer)))
        .once('open', () => succeed(new WebSocketDuplex(asked)));
    },
  );
}

/** Sends the request. */
function ask({ over, authority, path, headers }: UpgradeOptions): WebSocket {
  return new WebSocket(`ws://${authority}${path}`, [subprotocol], {
    createConnection: () => over,
    headers: { ...headers, host: authority },
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
    skipUTF8Validation: true,
    followRedirects: false,
    generateMask: unmasked,
  });
}

/** What a mask is for does not exist inside TLS, and each end would touch every byte for it. */
function unmasked(key: Buffer): void {
  key.fill(0);
}

function notUpgraded(error: Error, peer: string): AditError {
  return new AditError('EGRESS_UNREACHABLE', `${peer} did not become a WebSocket (${messageOf(error)})`, {
    cause: error,
  });
}

function explain({ statusCode = 0, headers }: IncomingMessage, peer: string): AditError {
  const server = typeof headers['server'] === 'string' ? ` by ${safeText(headers['server'])}` : '';
  return new AditError(
    'EGRESS_UNREACHABLE',
    `${peer} was answered ${statusCode}${server} and did not become a WebSocket: ${meaning(statusCode)}`,
  );
}

function meaning(status: number): string {
  if (status === 401 || status === 403)
    return 'what stands before the egress wants to be asked differently; --header can carry what it wants';
  if (status === 404) return 'there is no egress at this path; compare it with --ws-path of the egress';
  if (status >= 300 && status < 400)
    return 'it sends elsewhere, which is not followed; give the address of the egress itself';
  if (status >= 502 && status <= 504) return 'what stands before the egress does not reach it';
  return 'what answers there is no Adit egress, or does not pass WebSockets';
}
