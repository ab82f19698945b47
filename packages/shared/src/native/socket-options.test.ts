import net from 'node:net';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { expect, test } from '@jest/globals';
import { atEnd } from '../../../../test/support/scope.ts';
import { descriptorOf } from '../net/descriptor.ts';
import type { Loading } from './calls.ts';
import { loadSocketOptions, socketOption, socketOptions, type SocketOptions } from './socket-options.ts';

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

function loaded(loading: Loading): SocketOptions {
  const options = loadSocketOptions(loading);
  if ('missing' in options) throw new Error(options.missing);
  return options;
}

async function listening(host: string): Promise<net.Server> {
  const server = net.createServer().listen(0, host);
  await once(server, 'listening');
  atEnd(() => {
    server.close();
  });
  return server;
}

onLinux.each(ways)('an option is read, or the answer is the errno: %s', async (_, loading) => {
  const options = loaded(loading);
  const fd = descriptorOf(await listening('127.0.0.1'))!;
  expect(options.read(fd, socketOption.transparent4, 4)).toEqual({ ok: true, bytes: new Uint8Array(4) });
  expect(options.read(fd, socketOption.originalDestination4, 16)).toMatchObject({
    ok: false,
    errno: expect.any(Number),
  });
  expect(options.read(1 << 30, socketOption.transparent4, 4)).toEqual({ ok: false, errno: 9 });
});

onLinux.each(ways)('an option is set where one may, else the answer is the errno: %s', async (_, loading) => {
  const options = loaded(loading);
  for (const [host, option] of [
    ['127.0.0.1', socketOption.transparent4],
    ['::1', socketOption.transparent6],
  ] as const) {
    const fd = descriptorOf(await listening(host))!;
    const turned = options.set(fd, option, 1);
    expect(turned).toEqual(process.getuid?.() === 0 ? { ok: true } : { ok: false, errno: 1 });
    expect(options.read(fd, option, 4)).toEqual({ ok: true, bytes: Uint8Array.of(turned.ok ? 1 : 0, 0, 0, 0) });
  }
});

onLinux('an option may be a text: the congestion control', async () => {
  const options = loaded({});
  const fd = descriptorOf(await listening('127.0.0.1'))!;
  const named = (name: string) => Buffer.from(name);
  expect(options.set(fd, socketOption.congestion, named('reno'))).toEqual({ ok: true });
  const now = options.read(fd, socketOption.congestion, 16);
  expect(now.ok && Buffer.from(now.bytes).toString('latin1').replace(/\0.*$/, '')).toBe('reno');
  expect(options.set(fd, socketOption.congestion, named('nosuch'))).toEqual({ ok: false, errno: 2 });
});

test('they are loaded once', () => {
  expect(socketOptions()).toBe(socketOptions());
});
