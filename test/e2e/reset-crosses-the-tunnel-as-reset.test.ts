import { expect, test } from '@jest/globals';
import { openTunnel } from '../support/adit.ts';
import { observed } from '../support/observed.ts';
import { pattern } from '../support/pattern.ts';
import { within } from '../support/scope.ts';
import { chunkFrom, client, closedPort, endingOf, resetting, service } from '../support/services.ts';

test('the service resets: the client is reset', async () => {
  const { at } = await resetting();
  const tunnel = await openTunnel({ to: { it: at } });
  expect(await endingOf(tunnel.port('it'))).toBe('reset');
  expect(await tunnel.egress.process.event('stream')).toMatchObject({ end: 'reset', code: 'CONNECTION_RESET' });
});

test('the client resets: the service is reset', async () => {
  const watched = await observed();
  const tunnel = await openTunnel({ to: { it: watched.at } });
  const { socket } = await client(tunnel.port('it'));

  socket.write('hello');
  const there = await watched.next();
  await within(30_000, 'its first bytes', there.first);
  socket.resetAndDestroy();
  expect((await within(30_000, 'the reset', there.received)).ending).toBe('reset');
});

test('the client resets after it ended, while bytes are coming: the service is reset', async () => {
  const watched = await observed((socket) => {
    socket.on('end', () => {
      for (const chunk of pattern(32)) socket.write(chunk);
    });
  });
  const tunnel = await openTunnel({ to: { it: watched.at } });
  const { socket } = await client(tunnel.port('it'));

  socket.end('question');
  const there = await watched.next();
  await chunkFrom(socket);
  socket.resetAndDestroy();
  await within(
    30_000,
    'the end of the connection at the service',
    new Promise((resolve) => {
      there.socket.once('close', resolve);
    }),
  );
  expect(there.socket.errored).toMatchObject({ code: expect.stringMatching(/ECONNRESET|EPIPE/) });
});

test('the service resets after it ended, while the client sends: the client is reset', async () => {
  const watched = await observed((socket) => {
    socket.end('early');
  });
  const tunnel = await openTunnel({ to: { it: watched.at } });
  const { socket } = await client(tunnel.port('it'));

  await chunkFrom(socket);
  const there = await watched.next();
  const broken = new Promise<string | undefined>((resolve) => {
    socket.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code);
    });
  });
  there.socket.resetAndDestroy();
  const feed = (): void => {
    if (!socket.destroyed)
      socket.write(Buffer.alloc(65_536), () => {
        setImmediate(feed);
      });
  };
  feed();
  expect(await within(30_000, 'the reset', broken)).toMatch(/ECONNRESET|EPIPE/);
});

test('nothing listens at the destination: the client is reset, never ended as if complete', async () => {
  const tunnel = await openTunnel({ to: { it: `127.0.0.1:${await closedPort()}` } });
  expect(await endingOf(tunnel.port('it'))).toBe('reset');
  expect(await tunnel.egress.process.event('stream')).toMatchObject({ end: 'refused', code: 'CONNECTION_REFUSED' });
  expect(await tunnel.ingress.process.event('refused')).toMatchObject({ code: 'CONNECTION_REFUSED' });
});

test('a client that resets at once, a thousand times, leaves nothing behind', async () => {
  const watched = await service((socket) => {
    socket.resume();
    socket.on('end', () => {
      socket.end();
    });
  });
  const tunnel = await openTunnel({ to: { it: watched.at } });

  for (let round = 0; round < 10; round++) {
    await Promise.all(
      Array.from({ length: 100 }, async () => {
        const { socket, received } = await client(tunnel.port('it'));
        received.catch(() => {});
        socket.resetAndDestroy();
      }),
    );
  }
  await watched.idle();
  const { socket, received } = await client(tunnel.port('it'));
  socket.end('still alive');
  expect((await received).ending).toBe('end');
});
