/**
 * Clients of CONNECT, as any program has them: HTTP/1.1 over TLS by hand, and HTTP/2 by Node's own client.
 * Rule: a tunnel ends for the test as it ends on the wire: by an end or by a reset.
 */
import { once } from 'node:events';
import http2 from 'node:http2';
import net from 'node:net';
import { readFileSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import type { Certificates, KeyPair } from './certificates.ts';
import { atEnd, within } from './scope.ts';

export interface Asked {
  readonly port: number;
  readonly certs: Certificates;
}

export interface Tunnel {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  /** The body of a refusal; empty for a tunnel. */
  readonly text: string;
  readonly duplex: Duplex;
  /** All that came through it, and how that ended. */
  readonly received: Promise<{ readonly bytes: Buffer; readonly ending: 'end' | 'reset' }>;
  reset(): void;
}

/** A TLS connection to the port; `transport` is below it. */
export async function secureConnection(
  { port, certs }: Asked,
  pair: KeyPair | undefined,
  alpn: string,
): Promise<{ socket: tls.TLSSocket; transport: net.Socket }> {
  const transport = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  const halfOpen = { allowHalfOpen: true };
  const socket = tls.connect({
    socket: transport,
    ca: readFileSync(certs.ca),
    ALPNProtocols: [alpn],
    minVersion: 'TLSv1.3',
    host: '127.0.0.1',
    ...halfOpen,
    ...(pair && { cert: readFileSync(pair.cert), key: readFileSync(pair.key) }),
  });
  for (const one of [socket, transport])
    one.on('error', () => {
      /* a reset is looked for by its owner */
    });
  atEnd(() => {
    transport.destroy();
  });
  await within(30_000, 'a TLS connection', once(socket, 'secureConnect'));
  return { socket, transport };
}

export interface Http1Tunnel extends Tunnel {
  /** Ends TCP and not TLS, as the kernel does for a program that is killed. */
  vanish(): void;
}

/** Asks by HTTP/1.1. `request` is complete; bytes after its empty line are sent before the answer. */
export async function askHttp1(asked: Asked, pair: KeyPair | undefined, request: string): Promise<Http1Tunnel> {
  const { socket, transport } = await secureConnection(asked, pair, 'http/1.1');
  socket.write(request);
  let head = Buffer.alloc(0);
  for (let end = -1; end < 0; end = head.indexOf('\r\n\r\n')) {
    const [chunk] = (await within(
      30_000,
      'the head of an answer',
      Promise.race([
        once(socket, 'data'),
        once(socket, 'close').then(() => {
          throw new Error(`closed after: ${head.toString()}`);
        }),
      ]),
    )) as [Buffer];
    head = Buffer.concat([head, chunk]);
  }
  socket.pause();
  const [statusLine = '', ...fields] = head.subarray(0, head.indexOf('\r\n\r\n')).toString().split('\r\n');
  const headers = new Map(
    fields.map((field) => [
      field.slice(0, field.indexOf(':')).toLowerCase(),
      field.slice(field.indexOf(':') + 1).trim(),
    ]),
  );
  const rest = head.subarray(head.indexOf('\r\n\r\n') + 4);
  if (rest.length > 0) socket.unshift(rest);
  const status = Number(statusLine.split(' ')[1]);
  const received = collect(socket);
  return {
    status,
    headers,
    text: status === 200 ? '' : (await received).bytes.toString(),
    duplex: socket,
    received,
    reset: () => {
      transport.resetAndDestroy();
    },
    vanish: () => {
      transport.end();
    },
  };
}

export function connectHttp1(asked: Asked, pair: KeyPair | undefined, target: string): Promise<Http1Tunnel> {
  return askHttp1(asked, pair, `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`);
}

/** One connection of HTTP/2, for many tunnels. */
export async function http2Connection(asked: Asked, pair: KeyPair | undefined): Promise<http2.ClientHttp2Session> {
  const { socket } = await secureConnection(asked, pair, 'h2');
  const session = http2.connect('https://127.0.0.1', {
    createConnection: () => socket,
    settings: { initialWindowSize: 1_048_576, maxFrameSize: 65_536 },
  });
  session.on('error', () => {
    /* looked for by its streams */
  });
  atEnd(() => {
    session.destroy();
  });
  return session;
}

/** Asks by HTTP/2. */
export async function connectHttp2(
  session: http2.ClientHttp2Session,
  target: string,
  more: http2.OutgoingHttpHeaders = {},
): Promise<Tunnel> {
  const stream = session.request(
    { ':method': 'CONNECT', ':authority': target, ...more },
    { endStream: false, waitForTrailers: true },
  );
  stream.on('wantTrailers', () => {
    if (!stream.closed) stream.sendTrailers({});
  }); // Node sends an end before its reset, otherwise
  stream.on('error', () => {
    /* a reset is looked for by its owner */
  });
  const answered = once(stream, 'response') as Promise<[http2.IncomingHttpHeaders]>;
  const received = collect(stream);
  const [response] = await within(30_000, 'an answer', answered);
  const headers = new Map(Object.entries(response).map(([name, value]) => [name, String(value)]));
  const status = Number(response[':status']);
  return {
    status,
    headers,
    text: status === 200 ? '' : (await received).bytes.toString(),
    duplex: stream,
    received,
    reset: () => {
      stream.close(http2.constants.NGHTTP2_CONNECT_ERROR);
    },
  };
}

function collect(duplex: Duplex): Tunnel['received'] {
  const chunks: Buffer[] = [];
  return new Promise((resolve) => {
    duplex.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
    });
    duplex.on('end', () => {
      resolve({ bytes: Buffer.concat(chunks), ending: (duplex as http2.ClientHttp2Stream).rstCode ? 'reset' : 'end' });
    });
    duplex.on('close', () => {
      resolve({ bytes: Buffer.concat(chunks), ending: 'reset' });
    });
    duplex.resume();
  });
}
