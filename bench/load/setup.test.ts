import { type AddressInfo, type Socket, createServer } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Pair } from '../pair.ts';
import { killAll } from '../process/child.ts';
import { setup } from './setup.ts';

const servers: { close(): unknown }[] = [];
async function serve(answer: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    answer(socket);
  });
  servers.push(server);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return (server.address() as AddressInfo).port;
}
const few = { seconds: 1, warmUp: false, setups: 30, idleConnections: 1, shortConnections: 1, quietSeconds: 0 };

describe('connect to first byte', () => {
  afterEach(() => {
    killAll();
    for (const server of servers.splice(0)) server.close();
  });

  test('includes the time that the service takes to answer', async () => {
    const port = await serve((socket) => {
      socket.once('data', () => {
        setTimeout(() => socket.end('x'), 5);
      });
    });
    const { values } = await setup.measure(new Pair(port, []), few);
    expect(values['setup']).toBeGreaterThan(4.5);
    expect(values['setup-p99']).toBeGreaterThanOrEqual(values['setup']!);
  });
  test('fails when a connection ends without an answer', async () => {
    const port = await serve((socket) => {
      socket.once('data', () => {
        socket.end();
      });
    });
    await expect(setup.measure(new Pair(port, []), few)).rejects.toThrow('setup: a connection ended without an answer');
  });
  test('fails when nobody listens', async () => {
    const port = await serve(() => {});
    await new Promise((resolve) => {
      (servers.pop() as ReturnType<typeof createServer>).close(resolve);
    });
    await expect(setup.measure(new Pair(port, []), few)).rejects.toThrow('ECONNREFUSED');
  });
});
