/**
 * The ingress end of a WebSocket: requests the upgrade over an open connection.
 * Rule: one request, no redirects, no compression, subprotocol `adit.v1`. An answer other than an upgrade is an error
 * that names the server and the status. Frames carry the masking key 0, which changes no byte: ADR 8 gives the reason.
 * Spec: RFC 6455 sections 4.1, 5.3 and 10.3.
 */
import { randomBytes } from 'node:crypto';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import { AditError, messageOf } from '../errors.ts';
import { attempt } from '../net/attempt.ts';
import type { Deadline } from '../net/deadline.ts';
import { safeText } from '../observe/safe-text.ts';
import { WebSocketDuplex } from './websocket-duplex.ts';
import { acceptOf, subprotocol } from './websocket-server.ts';

export interface UpgradeOptions {
  /** The connection, which this owns from now on. */
  readonly over: Socket;
  /** For the Host header: "tunnel.example.org" or "tunnel.example.org:8443". */
  readonly authority: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The name of the peer in errors: "wss://tunnel.example.org/adit". */
  readonly peer: string;
  readonly deadline: Deadline;
  readonly signal: AbortSignal;
}

/** Rejects with EGRESS_UNREACHABLE or LINK_TIMEOUT; the connection is then gone. */
export function upgrade(options: UpgradeOptions): Promise<WebSocketDuplex> {
  const { over, peer, deadline, signal } = options;
  return attempt<WebSocketDuplex>(
    {
      deadline,
      signal,
      timedOut: () => new AditError('LINK_TIMEOUT', deadline.missed(`${peer} did not answer the upgrade to WebSocket`)),
      aborted: () => new AditError('EGRESS_UNREACHABLE', `the connection to ${peer} was given up`),
      giveUp: () => over.destroy(),
    },
    ({ succeed, fail }) => {
      const key = randomBytes(16).toString('base64');
      ask(options, key)
        .on('error', (error) => fail(notUpgraded(error, peer)))
        .once('response', (response) => fail(explain(response, peer)))
        .once('upgrade', (response, socket, head) => {
          const wrong = whyWrong(response, key);
          if (wrong !== undefined) return fail(notUpgraded(new Error(wrong), peer));
          if (head.length > 0) socket.unshift(head);
          succeed(new WebSocketDuplex(socket, 'client'));
        })
        .end();
    },
  );
}

/** The request. */
function ask({ over, authority, path, headers }: UpgradeOptions, key: string): ClientRequest {
  return request({
    createConnection: () => over,
    setHost: false,
    path,
    headers: {
      ...headers,
      host: authority,
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': key,
      'Sec-WebSocket-Protocol': subprotocol,
    },
  });
}

/** What of the answer is not as RFC 6455 section 4.1 wants it. */
function whyWrong({ headers }: IncomingMessage, key: string): string | undefined {
  if (headers.upgrade?.toLowerCase() !== 'websocket') return 'it upgrades to something else';
  if (headers['sec-websocket-accept'] !== acceptOf(key)) return 'its Sec-WebSocket-Accept is wrong';
  if (headers['sec-websocket-protocol'] !== subprotocol) return `it did not choose the subprotocol ${subprotocol}`;
  if (headers['sec-websocket-extensions'] !== undefined) return 'it chose an extension that was not offered';
  return undefined;
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
    return 'the intermediary before the egress requires authentication; --header-file can send what it requires';
  if (status === 404) return 'there is no egress at this path; compare it with --ws-path of the egress';
  if (status >= 300 && status < 400) return 'the redirect is not followed; give the address of the egress itself';
  if (status >= 502 && status <= 504) return 'the intermediary before the egress does not reach it';
  return 'the server there is not an Adit egress, or does not pass WebSockets on';
}
