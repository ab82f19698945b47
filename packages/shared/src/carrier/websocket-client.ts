/**
 * The ingress end of a WebSocket: requests the upgrade over an open connection.
 * Rule: one request, no redirects, no compression, subprotocol `adit.v1`. An answer other than an upgrade is an error
 * that names the server and the status. The library `ws` makes the handshake and is lent the connection for that only;
 * the frames are ours (ADR 17), and carry the masking key 0, which changes no byte: ADR 8 gives the reason.
 * Spec: RFC 6455 sections 4.1, 5.3 and 10.3.
 */
import type { IncomingMessage } from 'node:http';
import type net from 'node:net';
import type { WebSocket } from 'ws';
import { AditError, messageOf } from '../errors.ts';
import { attempt } from '../net/attempt.ts';
import { BorrowedDuplex } from '../net/borrowed-duplex.ts';
import type { Deadline } from '../net/deadline.ts';
import { safeText } from '../observe/safe-text.ts';
import { WebSocketDuplex } from './websocket-duplex.ts';
import { subprotocol } from './websocket-server.ts';

export interface UpgradeOptions {
  /** The connection, which this owns from now on. */
  readonly over: net.Socket;
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
export async function upgrade(options: UpgradeOptions): Promise<WebSocketDuplex> {
  const { over, peer, deadline, signal } = options;
  const { WebSocket } = await import('ws');
  return attempt<WebSocketDuplex>(
    {
      deadline,
      signal,
      timedOut: () => new AditError('LINK_TIMEOUT', deadline.missed(`${peer} did not answer the upgrade to WebSocket`)),
      aborted: () => new AditError('EGRESS_UNREACHABLE', `the connection to ${peer} was given up`),
      giveUp: () => over.destroy(),
    },
    ({ succeed, fail }) => {
      const lent = new BorrowedDuplex({ socket: over });
      new WebSocket(...asked(options, lent))
        .on('error', (error) => fail(notUpgraded(error, peer)))
        .once('unexpected-response', (_request, response) => fail(explain(response, peer)))
        .once('open', () => {
          lent.giveBack();
          succeed(new WebSocketDuplex(over, 'client'));
        });
    },
  );
}

/** The request. */
function asked(
  { authority, path, headers }: UpgradeOptions,
  lent: BorrowedDuplex,
): ConstructorParameters<typeof WebSocket> {
  return [
    `ws://${authority}${path}`,
    [subprotocol],
    {
      headers: { ...headers, host: authority },
      perMessageDeflate: false,
      followRedirects: false,
      createConnection: (() => lent) as unknown as typeof net.connect,
    },
  ];
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
