/**
 * CONNECT of HTTP/1.1 (RFC 9110 section 9.3.6): what is asked, and the connection as a stream of a client of its own.
 * Rule: the bytes behind the head belong to the tunnel and are put back; a request that announces a body, or whose Host
 * names something else, is refused: two readers could understand it differently. A reset is one of TCP: TLS has none.
 */
import type { IncomingMessage } from 'node:http';
import type net from 'node:net';
import type tls from 'node:tls';
import { answer } from '@adit/shared/carrier/websocket-server';
import { codeOfWire, type Refusal, wireOfCode } from '@adit/shared/errors';
import { tlsPeerEnd } from '@adit/shared/net/peer-end';
import { resetTls } from '@adit/shared/net/reset';
import type { Parsed } from '@adit/shared/protocol/address';
import type { Destination } from '@adit/shared/protocol/destination';
import { ConnectionStream } from '@adit/shared/stream/connection-stream';
import type { Clients } from '../clients/clients.ts';
import type { Origin } from '../door/arrivals.ts';
import { hopsOf } from '../via-header.ts';
import { type BadRequest, proxyName, refusalAnswer } from './answer.ts';
import { admitCaller, callerDenied, joinCaller } from './caller.ts';
import { namesTarget, parseTarget } from './target.ts';

/** Answers a CONNECT; the connection is the tunnel from then on. `head` is what came behind the request. */
export function serveHttp1(
  { request, head }: { readonly request: IncomingMessage; readonly head: Buffer },
  origin: Origin,
  clients: Clients,
): void {
  const { arrival, proof } = origin;
  const asked = readHttp1(request);
  const admitted = admitCaller(origin, clients);
  if (admitted.refusal) {
    callerDenied(origin, admitted, clients);
    refuseHttp1(proof ?? request.socket, admitted.refusal);
  } else if (!asked.ok) {
    refuseHttp1(request.socket, { code: 'PROTOCOL_ERROR', reason: asked.reason }, 400);
  } else {
    const socket = proof!; // was admitted by it
    const way = {
      leave: (_graceMs: number, left: () => void): void => left(), // its one stream is all there is to it
    };
    const client = joinCaller(origin, { identity: admitted.identity, way }, clients);
    socket.once('close', () => client.left());
    client.serve(
      http1Stream({ socket, transport: arrival.socket, head }),
      { destination: asked.value, frontEnd: 'connect', hops: hopsOf(request.headers.via) },
      socket,
    );
  }
}

/** Where a CONNECT wants to go; the reason is for the client. */
export function readHttp1({ url = '', rawHeaders, headers }: IncomingMessage): Parsed<Destination> {
  const hosts = rawHeaders.filter((name, at) => at % 2 === 0 && name.toLowerCase() === 'host').length;
  if (headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined)
    return { ok: false, reason: 'a CONNECT has no body' };
  if (hosts > 1) return { ok: false, reason: 'there is more than one Host' };
  if (headers.host !== undefined && !namesTarget(headers.host, url))
    return { ok: false, reason: 'Host names something other than the target' };
  return parseTarget(url);
}

/** The connection as a stream that waits for its answer. `head` is what came behind the request. */
export function http1Stream({
  socket,
  transport,
  head,
}: {
  readonly socket: tls.TLSSocket;
  readonly transport: net.Socket;
  readonly head: Buffer;
}): ConnectionStream {
  const peerEnd = tlsPeerEnd(socket, transport);
  if (head.length > 0) socket.unshift(head);
  return new ConnectionStream(socket, {
    id: 1,
    accept: () => {
      socket.write(`HTTP/1.1 200 Connection established\r\nProxy-Status: ${proxyName}\r\n\r\n`);
    },
    refuse: ({ code, reason }) => refuseHttp1(socket, { code: codeOfWire(code), reason }),
    reset: () => resetTls(socket, transport),
    died: () => ({
      code: wireOfCode((transport.errored ?? socket.errored) ? 'CONNECTION_RESET' : 'PEER_GONE'),
      reason: 'the client broke the connection',
    }),
    peerEnd,
  });
}

/** Sends a refusal and closes the connection. */
export function refuseHttp1(socket: net.Socket, refusal: Refusal, badRequest?: BadRequest): void {
  const { statusLine, headers, text } = refusalAnswer(refusal, badRequest);
  answer(socket, {
    status: statusLine,
    reason: text.trimEnd(),
    headers: Object.entries(headers)
      .filter(([name]) => name !== 'content-type')
      .map(([name, value]) => `${name}: ${value}`),
  });
}
