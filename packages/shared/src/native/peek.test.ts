import { once } from 'node:events';
import { createRequire } from 'node:module';
import net from 'node:net';
import { expect, test } from '@jest/globals';
import { atEnd, eventually, within } from '../../../../test/support/scope.ts';
import { descriptorOf } from '../net/descriptor.ts';
import type { Loading } from './calls.ts';
import { loadPeek, peek } from './peek.ts';

const onLinux = process.platform === 'linux' ? test : test.skip;

/** Each library that this Node can load. */
const ways: readonly (readonly [string, Loading])[] = [
  ['the one that this Node loads', {}],
  ...(mayLoadKoffi() ? [['koffi', { builtin: () => undefined }] as const] : []),
];

function mayLoadKoffi(): boolean {
  try {
    createRequire(import.meta.url)('koffi');
    return true;
  } catch {
    return false;
  }
}

/** Two ends of a connection; ours reads nothing by itself. */
async function pair(): Promise<{ ours: net.Socket; peer: net.Socket; fd: number }> {
  const server = net.createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const peer = net.connect({ port: (server.address() as net.AddressInfo).port, host: '127.0.0.1' });
  const [ours] = (await within(15_000, 'the connection', once(server, 'connection'))) as [net.Socket];
  server.close();
  for (const socket of [ours, peer]) {
    socket.on('error', () => {
      /* its close counts */
    });
    atEnd(() => socket.destroy());
  }
  return { ours, peer, fd: descriptorOf(ours)! };
}

onLinux.each(ways)('a byte is seen and left, and the end behind it: %s', async (_, loading) => {
  const look = loadPeek(loading);
  const { ours, peer, fd } = await pair();
  expect(look(fd)).toBe('nothing');
  peer.end('x');
  await eventually('the byte', () => look(fd) === 'byte');
  expect(look(fd)).toBe('byte');
  const [chunk] = (await within(15_000, 'the bytes', once(ours.resume(), 'data'))) as [Buffer];
  expect(String(chunk)).toBe('x');
});

onLinux.each([
  ['ends', (peer: net.Socket): unknown => peer.end()],
  ['is reset', (peer: net.Socket): unknown => peer.resetAndDestroy()],
])('a connection that %s has ended', async (_how, leave) => {
  const { peer, fd } = await pair();
  leave(peer);
  await eventually('the end', () => peek(fd) === 'ended');
});

test('without native calls there is no answer', () => {
  expect(loadPeek({ platform: 'darwin' })(0)).toBeUndefined();
});
