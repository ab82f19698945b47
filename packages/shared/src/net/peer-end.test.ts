import { once } from 'node:events';
import http2 from 'node:http2';
import net from 'node:net';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import tls from 'node:tls';
import { expect, test } from '@jest/globals';
import { certificates } from '../../../../test/support/certificates.ts';
import { atEnd, eventually, temporaryFolder, within } from '../../../../test/support/scope.ts';
import { http2PeerEnd, tlsPeerEnd, type PeerEnd } from './peer-end.ts';

const { egress, ca } = certificates();
const server = { isServer: true, cert: readFileSync(egress.cert), key: readFileSync(egress.key) };

interface Pair {
  readonly ours: tls.TLSSocket;
  readonly transport: net.Socket;
  readonly end: PeerEnd;
  /** The peer's TLS socket, and the socket below it. */
  readonly peer: tls.TLSSocket;
  readonly below: net.Socket;
}

function heard<S extends net.Socket>(socket: S): S {
  socket.on('error', () => {
    /* its close counts */
  });
  atEnd(() => socket.destroy());
  return socket;
}

/** TLS over two connected sockets. */
async function secured(transport: net.Socket, below: net.Socket): Promise<Pair> {
  const halfOpen = { allowHalfOpen: true };
  const ours = heard(new tls.TLSSocket(transport, { ...server, ...halfOpen }));
  const peer = heard(tls.connect({ socket: below, ca: readFileSync(ca), host: '127.0.0.1', ...halfOpen }));
  await within(15_000, 'TLS', once(peer, 'secureConnect'));
  ours.allowHalfOpen = true;
  return { ours, transport, end: tlsPeerEnd(ours, transport), peer, below };
}

async function connected(at: net.ListenOptions): Promise<[net.Socket, net.Socket]> {
  const listener = net.createServer({ allowHalfOpen: true }).listen(at);
  atEnd(() => {
    listener.close();
  });
  await once(listener, 'listening');
  const accepted = once(listener, 'connection') as Promise<[net.Socket]>;
  const address = listener.address();
  const to =
    typeof address === 'string' ? { path: address } : { host: '127.0.0.1', port: (address as net.AddressInfo).port };
  const below = heard(net.connect({ ...to, allowHalfOpen: true }));
  const [transport] = await accepted;
  return [heard(transport), below];
}

const overTcp = async (): Promise<Pair> => secured(...(await connected({ port: 0, host: '127.0.0.1' })));
const pairs: readonly (readonly [string, () => Promise<Pair>])[] = [
  ['TLS over TCP', overTcp],
  ['TLS over a Unix socket', async () => secured(...(await connected({ path: join(temporaryFolder(), 's') })))],
  [
    'TLS in TLS',
    async () => {
      const outer = await overTcp();
      return secured(outer.ours, outer.peer);
    },
  ],
];
const lastWords: readonly (readonly [string, number])[] = [
  ['no bytes', 0],
  ['few bytes', 10],
  ['many bytes', 3_000_000],
];
const readers = ['a fast reader', 'a reader that pauses'] as const;

/** Reads to the end. */
async function read({ ours }: Pair, reader: (typeof readers)[number]): Promise<number> {
  let bytes = 0;
  ours.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (reader === 'a fast reader') return;
    ours.pause();
    setImmediate(() => ours.resume());
  });
  await within(30_000, 'the end', once(ours, 'end'));
  return bytes;
}

const table = pairs.flatMap(([name, make]) =>
  lastWords.flatMap(([words, size]) => readers.map((reader) => ({ name, make, words, size, reader }))),
);

test.each(table)('$name: close_notify after $words is an end for $reader', async ({ make, size, reader }) => {
  const pair = await make();
  pair.peer.end(Buffer.alloc(size));
  expect([await read(pair, reader), pair.end.inOrder]).toEqual([size, true]);
});

test.each(table)('$name: an end below TLS after $words is none for $reader', async ({ make, size, reader }) => {
  const pair = await make();
  pair.peer.write(Buffer.alloc(size), () => pair.below.end());
  expect([await read(pair, reader), pair.end.inOrder]).toEqual([size, false]);
});

test('without TLS a FIN is an end', async () => {
  const [ours, peer] = await connected({ port: 0, host: '127.0.0.1' });
  const end = tlsPeerEnd(ours as tls.TLSSocket, ours);
  peer.end();
  await within(15_000, 'the end', once(ours.resume(), 'end'));
  expect(end.inOrder).toBe(true);
});

test.each([
  ['in its HEADERS', true],
  ['in a frame behind them', false],
])('a stream of HTTP/2 that came with its end, %s, has ended in order', async (_where, endStream) => {
  const { stream, end } = await asked({ endStream, send: (client) => client.end() });
  if (!stream.readableEnded) await within(15_000, 'the end', once(stream.resume(), 'end'));
  expect(end.inOrder).toBe(true);
});

test('an end that came before anybody watched was in order, while the stream is open', async () => {
  const { stream } = await asked({ send: (client) => client.end() });
  await eventually('the end', () => stream.state.remoteClose === 1);
  expect(http2PeerEnd(stream).inOrder).toBe(true);
});

test('a stream of HTTP/2 that was cut before anybody watched has not ended in order', async () => {
  const { stream, client } = await asked();
  client.close(http2.constants.NGHTTP2_NO_ERROR);
  await eventually('the cut', () => stream.closed);
  expect(http2PeerEnd(stream).inOrder).toBe(false);
});

test('a cut destroys a stream of HTTP/2 whose bytes nobody reads', async () => {
  const { stream, client, end } = await asked({ send: (asking) => asking.write('x') });
  stream.respond({ ':status': 200 });
  stream.end();
  await within(15_000, 'our end', once(client.resume(), 'end'));
  client.close(http2.constants.NGHTTP2_NO_ERROR);
  await within(15_000, 'the close', once(stream, 'close'));
  expect([end.inOrder, stream.rstCode, stream.aborted]).toEqual([false, 0, false]);
});

interface Asking {
  /** In the HEADERS of the request. */
  readonly endStream?: boolean;
  /** Sends something with the request. */
  readonly send?: (client: http2.ClientHttp2Stream) => void;
}

/** A CONNECT that has arrived, and was watched at once. */
async function asked({ endStream = false, send }: Asking = {}) {
  const listener = http2.createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const session = http2.connect(`http://127.0.0.1:${(listener.address() as net.AddressInfo).port}`);
  atEnd(() => {
    session.destroy();
    listener.close();
  });
  const arriving = new Promise<{ readonly stream: http2.ServerHttp2Stream; readonly end: PeerEnd }>((resolve) => {
    listener.once('stream', (stream) => resolve({ stream, end: http2PeerEnd(stream) }));
  });
  const client = session.request({ ':method': 'CONNECT', ':authority': 'a:1' }, { endStream });
  for (const one of [client, listener]) one.on('error', () => undefined);
  send?.(client);
  return { client, ...(await within(15_000, 'the request', arriving)) };
}

test('nothing is in order before the end', async () => {
  expect((await overTcp()).end.inOrder).toBe(false);
});
