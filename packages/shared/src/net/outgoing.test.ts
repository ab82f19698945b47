import { once } from 'node:events';
import net from 'node:net';
import { expect, test } from '@jest/globals';
import { isOutgoing, noteOutgoing } from './outgoing.ts';

async function listening(): Promise<{ readonly server: net.Server; readonly port: number }> {
  const server = net.createServer((socket) => {
    socket.on('error', () => {}).resume();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { server, port: (server.address() as net.AddressInfo).port };
}

test('an address is one of ours from the connect on until the socket closes, however it is spelt', async () => {
  const { server, port } = await listening();
  const socket = net.connect({ host: '::ffff:127.0.0.1', port });
  noteOutgoing(socket, { host: '::ffff:127.0.0.1', port });
  expect(isOutgoing({ host: '127.0.0.1', port })).toBe(true);
  expect(isOutgoing({ host: '127.0.0.1', port: port + 1 })).toBe(false);
  expect(isOutgoing({ host: '127.0.0.2', port })).toBe(false);
  await once(socket, 'connect');
  socket.destroy();
  await once(socket, 'close');
  expect(isOutgoing({ host: '127.0.0.1', port })).toBe(false);
  server.close();
});

test('every address of a name is ours before the first packet goes there', async () => {
  const { server, port } = await listening();
  const lookup = ((
    _host: string,
    _options: object,
    callback: (error: null, addresses: { address: string; family: number }[]) => void,
  ) => {
    setImmediate(callback, null, [
      { address: '::1', family: 6 },
      { address: '127.0.0.1', family: 4 },
    ]);
  }) as unknown as net.LookupFunction;
  const socket = net.connect({ host: 'egress.test', port, lookup, autoSelectFamily: true });
  noteOutgoing(socket, { host: 'egress.test', port });
  expect(isOutgoing({ host: 'egress.test', port })).toBe(false);
  const [accepted] = (await once(server, 'connection')) as [net.Socket];
  expect([isOutgoing({ host: '::1', port }), isOutgoing({ host: '127.0.0.1', port })]).toEqual([true, true]);
  socket.destroy();
  accepted.destroy();
  server.close();
});

test('a name that does not resolve is no address of ours', async () => {
  const lookup = ((_host: string, _options: object, callback: (error: Error) => void) => {
    setImmediate(callback, new Error('no such name'));
  }) as unknown as net.LookupFunction;
  const socket = net.connect({ host: 'egress.test', port: 1, lookup });
  noteOutgoing(socket, { host: 'egress.test', port: 1 });
  await expect(once(socket, 'close')).rejects.toThrow('no such name');
  await new Promise(setImmediate);
  expect(isOutgoing({ host: 'egress.test', port: 1 })).toBe(false);
});
