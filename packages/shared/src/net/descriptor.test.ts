import { once } from 'node:events';
import { fstatSync } from 'node:fs';
import net from 'node:net';
import { expect, test } from '@jest/globals';
import { descriptorOf } from './descriptor.ts';

test('a server and a socket have a descriptor while they are open, and none before and after', async () => {
  const server = net.createServer();
  expect(descriptorOf(server)).toBeUndefined();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const socket = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
  const [accepted] = (await once(server, 'connection')) as [net.Socket];
  for (const open of [server, socket, accepted]) expect(fstatSync(descriptorOf(open)!).isSocket()).toBe(true);
  accepted.destroy();
  socket.destroy();
  server.close();
  for (const closed of [server, socket, accepted]) expect(descriptorOf(closed)).toBeUndefined();
});

test('a socket that never had a handle has none', () => {
  expect(descriptorOf(new net.Socket())).toBeUndefined();
});
