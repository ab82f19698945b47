import { once } from 'node:events';
import net from 'node:net';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { atEnd, temporaryFolder } from '../../../../test/support/scope.ts';
import { type SocketOptions, socketOption, socketOptions } from '../native/socket-options.ts';
import { descriptorOf } from './descriptor.ts';
import { checkCongestion, controlTcp, firstUnsentBytes } from './tcp-control.ts';

const onLinux = process.platform === 'linux' ? test : test.skip;
const none = { missing: 'Linux, and this is darwin' };

function native(): SocketOptions {
  const options = socketOptions();
  if ('missing' in options) throw new Error(options.missing);
  return options;
}

async function connected(to: net.ListenOptions = { host: '127.0.0.1', port: 0 }): Promise<net.Socket> {
  const server = net.createServer((socket) => socket.resume()).listen(to);
  await once(server, 'listening');
  const at = server.address();
  const socket = net.connect(typeof at === 'string' ? { path: at } : { port: (at as net.AddressInfo).port });
  atEnd(() => {
    socket.destroy();
    server.close();
  });
  await once(socket, 'connect');
  return socket;
}

function unsentBound(socket: net.Socket): number {
  const bound = native().read(descriptorOf(socket)!, socketOption.notSentLowat, 4);
  return bound.ok ? Buffer.from(bound.bytes).readUInt32LE() : -1;
}

onLinux('a connection has the congestion control that was asked for, and a bound for what is unsent', async () => {
  const socket = await connected();
  const control = controlTcp(socket, 'reno');
  expect(control?.congestion).toBe('reno');
  expect(unsentBound(socket)).toBe(firstUnsentBytes);
  control?.boundUnsent(40_000);
  expect(unsentBound(socket)).toBe(40_000);
  expect(control?.resent()).toBe(0);
});

onLinux('auto is bbr where this user may choose it, else what the system has', async () => {
  const socket = await connected();
  const { ok } = native().tryOn(socketOption.congestion, Buffer.from('bbr'));
  const system = native().read(descriptorOf(socket)!, socketOption.congestion, 16);
  const name = system.ok ? Buffer.from(system.bytes).toString().replace(/\0.*$/, '') : '';
  expect(controlTcp(socket, 'auto')?.congestion).toBe(ok ? 'bbr' : name);
});

onLinux('what the kernel refuses stays as it was', async () => {
  const socket = await connected();
  const before = controlTcp(socket, 'reno')?.congestion;
  expect(controlTcp(socket, 'nosuch')?.congestion).toBe(before);
});

onLinux('a Unix socket, a closed one, and one without native calls have no control', async () => {
  expect(controlTcp(await connected({ path: join(temporaryFolder(), 'socket') }), 'auto')).toBeUndefined();
  const socket = await connected();
  expect(controlTcp(socket, 'auto', none)).toBeUndefined();
  socket.destroy();
  expect(controlTcp(socket, 'auto')).toBeUndefined();
});

onLinux('after its connection has closed a control calls nothing: another socket may have the descriptor', async () => {
  const socket = await connected();
  const calls: string[] = [];
  const { read, set, tryOn } = native();
  const control = controlTcp(socket, 'auto', {
    read: (...args) => (calls.push('read'), read(...args)),
    set: (...args) => (calls.push('set'), set(...args)),
    tryOn,
  })!;
  control.boundUnsent(40_000);
  control.resent();
  expect(calls.slice(-2)).toEqual(['set', 'read']);
  const before = calls.length;
  socket.destroy();
  control.boundUnsent(1);
  expect([control.resent(), calls.length]).toEqual([0, before]);
});

onLinux('a name that the kernel lacks is refused at the start, with those that it allows', () => {
  expect(() => checkCongestion('nosuch')).toThrow(
    expect.objectContaining({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(
        /^--congestion nosuch: this kernel does not have it, or does not let this user choose it \(.*: .*reno.*\)$/,
      ),
    }),
  );
  checkCongestion('reno');
});

test('without native calls only a name is refused; auto loads nothing', () => {
  expect(() => checkCongestion('bbr', () => none)).toThrow(
    expect.objectContaining({
      code: 'CONFIG_INVALID',
      message: '--congestion bbr needs Linux, and this is darwin',
    }),
  );
  checkCongestion('auto', () => {
    throw new Error('loaded');
  });
});
