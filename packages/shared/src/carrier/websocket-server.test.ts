import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { atEnd, within } from '../../../../test/support/scope.ts';
import { acceptUpgrade, subprotocol } from './websocket-server.ts';

/** A server that echoes what comes over a WebSocket; what it refused is in `refused`. */
async function server(): Promise<{ port: number; refused: (string | undefined)[] }> {
  const refused: (string | undefined)[] = [];
  const web = http.createServer().on('upgrade', (request, socket, head) => {
    refused.push(acceptUpgrade({ request, socket, head }, (duplex) => duplex.pipe(duplex)));
  });
  atEnd(() => {
    web.close();
  });
  web.listen(0, '127.0.0.1');
  await once(web, 'listening');
  return { port: (web.address() as net.AddressInfo).port, refused };
}

test('an upgrade makes a duplex, with the subprotocol and without compression', async () => {
  const { port, refused } = await server();
  const client = new WebSocket(`ws://127.0.0.1:${port}/`, [subprotocol, 'chat']);
  const [response] = (await once(client, 'upgrade')) as [http.IncomingMessage];
  expect([response.headers['sec-websocket-protocol'], response.headers['sec-websocket-extensions']]).toEqual([
    subprotocol,
    undefined,
  ]);
  if (client.readyState !== client.OPEN) await once(client, 'open');
  client.send(Buffer.from('x'));
  expect(String((await once(client, 'message'))[0])).toBe('x');
  client.close();
  expect(refused).toEqual([undefined]);
});

test('a refusal is one whole answer with its reason, and the end', async () => {
  const { port, refused } = await server();
  const socket = net.connect(port, '127.0.0.1');
  socket.write(
    'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
  );
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += String(chunk);
  });
  await within(30_000, 'the answer', once(socket, 'close'));
  expect(text).toMatch(
    /^HTTP\/1\.1 400 Bad Request\r\n[^]*Content-Length: 32\r\n[^]*\r\n\r\nthe subprotocol here is adit\.v1\n$/,
  );
  expect(refused).toEqual(['the subprotocol here is adit.v1']);
});
