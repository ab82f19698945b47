import { once } from 'node:events';
import net from 'node:net';
import { expect, test } from '@jest/globals';
import { atEnd, within } from '../../../../test/support/scope.ts';
import { farewell } from './farewell.ts';

async function pair(): Promise<{ near: net.Socket; far: net.Socket }> {
  const server = net.createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  atEnd(() => {
    server.close();
  });
  await once(server, 'listening');
  const far = net.connect({ port: (server.address() as net.AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true });
  const [near] = (await once(server, 'connection')) as [net.Socket];
  for (const socket of [near, far])
    socket.on('error', () => {
      /* told by close */
    });
  return { near, far };
}

test('the peer reads the words although it still had much to say', async () => {
  const { near, far } = await pair();
  far.write(Buffer.alloc(4 << 20));
  const heard = (async () => {
    let text = '';
    for await (const chunk of far as AsyncIterable<Buffer>) text += String(chunk);
    return text;
  })();
  const gone = farewell(near, 'no');
  expect(await within(30_000, 'the words', heard)).toBe('no');
  far.destroy();
  await gone;
  expect(near.destroyed).toBe(true);
});

test('a peer that never closes is left after a moment, and one that is gone at once', async () => {
  const { near } = await pair();
  await farewell(near, 'no');
  expect(near.destroyed).toBe(true);
  await farewell(near, 'no');
});
