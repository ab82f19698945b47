import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { atEnd, temporaryFolder } from '../../../../test/support/scope.ts';
import { acceptPooled, connectPooled, resetSocket, type RelaySocket } from './sockets.ts';

/** Collects what pooled reads hand over. */
function collect({ socket, reads }: RelaySocket): { hash: ReturnType<typeof createHash>; done: Promise<unknown> } {
  const hash = createHash('sha256');
  reads!.attach({
    sendBuffer: (buffer, length, lease) => {
      hash.update(buffer.subarray(8, 8 + length));
      lease.release();
      return true;
    },
    sendCopy: (bytes) => {
      hash.update(bytes);
      return true;
    },
  });
  socket.resume();
  return { hash, done: once(socket, 'end') };
}

async function listener(at: net.ListenOptions): Promise<{ server: net.Server; accepted: Promise<net.Socket> }> {
  const server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true }).listen(at);
  atEnd(() => {
    server.close();
  });
  await once(server, 'listening');
  return { server, accepted: once(server, 'connection').then(([socket]) => socket as net.Socket) };
}

test.each(['tcp', 'unix'])(
  '20 MB arrive whole over an accepted %s socket, and its server counts it out',
  async (kind) => {
    const { server, accepted } = await listener(
      kind === 'tcp' ? { port: 0, host: '127.0.0.1' } : { path: join(temporaryFolder(), 's') },
    );
    const address = server.address()!;
    const client = typeof address === 'string' ? net.connect(address) : net.connect(address.port, '127.0.0.1');
    const bytes = randomBytes(20_000_000);
    const pooled = acceptPooled(await accepted);
    expect(pooled.reads).toBeDefined();
    const { hash, done } = collect(pooled);
    client.end(bytes);
    await done;
    expect(hash.digest('hex')).toBe(createHash('sha256').update(bytes).digest('hex'));
    pooled.socket.end();
    client.destroy();
    await once(server.close(), 'close');
  },
);

test('what a server says first is kept until somebody owns the dialled socket', async () => {
  const { server, accepted } = await listener({ port: 0, host: '127.0.0.1' });
  const dialled = connectPooled({ host: '127.0.0.1', port: (server.address() as net.AddressInfo).port });
  const peer = await accepted;
  peer.end('220 ready');
  await once(dialled.socket, 'connect');
  const { hash, done } = collect(dialled);
  await done;
  expect(hash.digest('hex')).toBe(createHash('sha256').update('220 ready').digest('hex'));
  dialled.socket.destroy();
});

test('a reset is seen as one by the peer, also while our FIN is on its way', async () => {
  for (const ending of [false, true]) {
    const { server, accepted } = await listener({ port: 0, host: '127.0.0.1' });
    const { socket } = connectPooled({ host: '127.0.0.1', port: (server.address() as net.AddressInfo).port });
    const peer = await accepted;
    const failed = once(peer, 'error').then(
      ([error]) => (error as NodeJS.ErrnoException).code,
      () => 'none',
    );
    peer.on('end', () => {});
    peer.resume();
    await once(socket, 'connect');
    await new Promise<void>((resolve) => socket.write('x', () => resolve()));
    if (ending) socket.end();
    process.nextTick(() => resetSocket(socket));
    await once(socket, 'close');
    if (!ending) expect(await failed).toBe('ECONNRESET');
    peer.destroy();
  }
});

test('a unix socket, which knows no reset, is closed', async () => {
  const path = join(temporaryFolder(), 's');
  const { accepted } = await listener({ path });
  const client = net.connect(path).resume();
  resetSocket(acceptPooled(await accepted).socket);
  await once(client, 'end');
});

test('a socket that has no handle to take stays as it is, to be read by its events', () => {
  const socket = new net.Socket();
  expect(acceptPooled(socket)).toEqual({ socket, reads: undefined });
  socket.destroy();
});
