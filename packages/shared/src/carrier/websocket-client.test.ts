import { once } from 'node:events';
import net from 'node:net';
import { expect, test } from '@jest/globals';
import { WebSocketServer } from 'ws';
import { atEnd } from '../../../../test/support/scope.ts';
import { Deadline } from '../net/deadline.ts';
import { upgrade, type UpgradeOptions } from './websocket-client.ts';

/** A server that answers whatever is asked with this text; what was asked is kept. */
async function answering(text: string): Promise<{ connect(): Promise<net.Socket>; asked: string[] }> {
  const asked: string[] = [];
  const server = net
    .createServer((socket) => {
      socket.on('error', () => {
        /* it goes away */
      });
      socket.on('data', (chunk: Buffer) => {
        asked.push(String(chunk));
        if (text !== '') socket.write(text);
      });
    })
    .listen(0, '127.0.0.1');
  atEnd(() => {
    server.close();
  });
  await once(server, 'listening');
  return {
    asked,
    async connect() {
      const socket = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
      await once(socket, 'connect');
      return socket;
    },
  };
}

const ask = (over: net.Socket, changes: Partial<UpgradeOptions> = {}): ReturnType<typeof upgrade> =>
  upgrade({
    over,
    authority: 'tunnel.example.org',
    path: '/adit',
    headers: { 'X-Access': 'abc' },
    peer: 'wss://tunnel.example.org/adit',
    deadline: new Deadline(30_000),
    signal: new AbortController().signal,
    ...changes,
  });

test.each([
  ['403 Forbidden', 'Server: cloud\r\n', /was answered 403 by cloud .*--header/],
  ['404 Not Found', '', /was answered 404 .*--ws-path/],
  ['302 Found', 'Location: https://elsewhere\r\n', /was answered 302 .*not followed/],
  ['502 Bad Gateway', '', /was answered 502 .*does not reach it/],
  ['200 OK', '', /was answered 200 .*not an Adit egress/],
])('an answer of %s says what to do', async (status, headers, reason) => {
  const server = await answering(`HTTP/1.1 ${status}\r\n${headers}Content-Length: 0\r\n\r\n`);
  const over = await server.connect();
  await expect(ask(over)).rejects.toMatchObject({ code: 'EGRESS_UNREACHABLE', message: expect.stringMatching(reason) });
  expect(over.destroyed).toBe(true);
  expect(server.asked[0]).toMatch(/^GET \/adit HTTP\/1\.1\r\n/);
  expect(server.asked[0]).toMatch(/\r\nX-Access: abc\r\n/);
  expect(server.asked[0]!.match(/\r\nhost: .*\r\n/gi)).toEqual(['\r\nhost: tunnel.example.org\r\n']);
});

test('an upgrade to something else is none', async () => {
  const over = await (
    await answering(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        'Sec-WebSocket-Accept: wrong\r\n\r\n',
    )
  ).connect();
  await expect(ask(over)).rejects.toMatchObject({
    code: 'EGRESS_UNREACHABLE',
    message: expect.stringContaining('Sec-WebSocket-Accept'),
  });
});

test('waits no longer than it was told, and stops when told', async () => {
  const server = await answering('');
  await expect(ask(await server.connect(), { deadline: new Deadline(50) })).rejects.toMatchObject({
    code: 'LINK_TIMEOUT',
  });
  await expect(ask(await server.connect(), { signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'EGRESS_UNREACHABLE',
  });
});

test('sends bytes as they are: masked with the key 0', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'adit.v1' });
  atEnd(() => {
    server.close();
  });
  await once(server, 'listening');
  const received = new Promise<Buffer>((resolve) => {
    server.once('connection', (_webSocket, { socket }) => socket.once('data', resolve));
  });
  const over = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
  const duplex = await ask(over);
  atEnd(() => {
    duplex.destroy();
  });
  duplex.write('hello');
  expect(await received).toEqual(Buffer.concat([Buffer.of(0x82, 0x80 | 5, 0, 0, 0, 0), Buffer.from('hello')]));
});
