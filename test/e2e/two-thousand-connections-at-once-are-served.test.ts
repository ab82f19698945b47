import { expect, test } from '@jest/globals';
import { openTunnel } from '../support/adit.ts';
import { within } from '../support/scope.ts';
import { type Client, chunkFrom, client, echo } from '../support/services.ts';

test('2,000 connections are open at the same time, each gets its own bytes back, and all of them end', async () => {
  const count = 2000;
  const echoes = await echo();
  const tunnel = await openTunnel({ to: { echo: echoes.at } });
  const clients: Client[] = await Promise.all(Array.from({ length: count }, () => client(tunnel.port('echo'))));

  await within(
    60_000,
    'every echo',
    Promise.all(
      clients.map(async ({ socket }, index) => {
        const said = `connection ${index}`;
        socket.write(said);
        expect(String(await chunkFrom(socket, 60_000))).toBe(said);
      }),
    ),
  );

  expect(echoes.sockets.size).toBe(count);
  for (const { socket } of clients) socket.end();
  const endings = await Promise.all(clients.map(async ({ received }) => (await received).ending));
  expect(new Set(endings)).toEqual(new Set(['end']));
  await echoes.idle();
  await tunnel.egress.process.event('stream', {}, { nth: count });
  expect(new Set(tunnel.egress.process.all('stream').map((line) => line['end']))).toEqual(new Set(['finished']));
});
