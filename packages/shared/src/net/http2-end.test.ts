import { once } from 'node:events';
import http2 from 'node:http2';
import type net from 'node:net';
import { expect, test } from '@jest/globals';
import { atEnd, within } from '../../../../test/support/scope.ts';
import { endOnlyInOrder } from './http2-end.ts';

async function streams(): Promise<{
  server: http2.ServerHttp2Stream;
  client: http2.ClientHttp2Stream;
  ends: string[];
}> {
  const listener = http2.createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const opened = once(listener, 'stream') as Promise<[http2.ServerHttp2Stream]>;
  const session = http2.connect(`http://127.0.0.1:${(listener.address() as net.AddressInfo).port}`);
  atEnd(() => {
    session.destroy();
    listener.close();
  });
  const client = session.request(
    { ':method': 'CONNECT', ':authority': 'a:1' },
    { endStream: false, waitForTrailers: true },
  );
  const [server] = await opened;
  for (const stream of [server, client]) {
    stream.on('error', () => {
      /* its code counts */
    });
    endOnlyInOrder(stream);
  }
  server.respond({ ':status': 200 }, { waitForTrailers: true });
  const ends: string[] = [];
  server.on('end', () => ends.push('server')).resume();
  client.on('end', () => ends.push('client')).resume();
  return { server, client, ends };
}

test('an end is an end, each half by itself', async () => {
  const { server, client, ends } = await streams();
  server.end('x');
  await within(15_000, 'the end', once(client, 'end'));
  client.end('y');
  await within(15_000, 'the close', Promise.all([once(server, 'close'), once(client, 'close')]));
  expect([ends, server.rstCode, client.rstCode]).toEqual([['client', 'server'], 0, 0]);
});

test.each(['server', 'client'] as const)('a reset by the %s is never an end before it', async (side) => {
  const both = await streams();
  const other = both[side === 'server' ? 'client' : 'server'];
  await once(both.client, 'response');
  both[side].write('some');
  await once(other, 'data');
  const closed = new Promise((resolve) => {
    other.once('close', resolve);
  });
  both[side].close(http2.constants.NGHTTP2_CONNECT_ERROR);
  await within(15_000, 'the close', closed);
  expect([both.ends.filter((one) => one !== side), other.rstCode]).toEqual([[], http2.constants.NGHTTP2_CONNECT_ERROR]);
});
