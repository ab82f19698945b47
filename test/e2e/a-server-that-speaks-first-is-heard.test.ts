import { expect, test } from '@jest/globals';
import { openTunnel } from '../support/adit.ts';
import { chunkFrom, client, service } from '../support/services.ts';

test('a greeting arrives before the client has said anything, and the talk goes on', async () => {
  const smtp = await service((socket) => {
    socket.write('220 ready\r\n');
    socket.on('data', (chunk) => {
      socket.write(`250 ${chunk}`);
    });
    socket.on('end', () => {
      socket.end();
    });
  });
  const tunnel = await openTunnel({ to: { smtp: smtp.at } });
  const { socket, received } = await client(tunnel.port('smtp'));

  expect(String(await chunkFrom(socket))).toBe('220 ready\r\n');
  socket.write('HELO');
  expect(String(await chunkFrom(socket))).toBe('250 HELO');
  socket.end();
  expect((await received).ending).toBe('end');
});
