import net from 'node:net';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { descriptorOf } from '@adit/shared/net/descriptor';
import { atEnd } from '../../../../test/support/scope.ts';
import { loadSocketOptions, socketOption } from './socket-options.ts';

const onLinux = process.platform === 'linux' ? test : test.skip;

async function listening(host: string): Promise<net.Server> {
  const server = net.createServer().listen(0, host);
  await once(server, 'listening');
  atEnd(() => {
    server.close();
  });
  return server;
}

test('on other systems than Linux it throws, and loads nothing', () => {
  expect(() =>
    loadSocketOptions({
      platform: 'darwin',
      load: () => {
        throw new Error('loaded');
      },
    }),
  ).toThrow(
    expect.objectContaining({
      code: 'TRANSPARENT_UNAVAILABLE',
      message: '--transparent works on Linux only, and this is darwin',
    }),
  );
});

test('without koffi the error says how to install it; if it does not load, why', () => {
  const failing = (code?: string) => () =>
    loadSocketOptions({
      platform: 'linux',
      load: () => {
        throw Object.assign(
          new Error('Cannot find the native Koffi module; did you bundle it correctly?\nmore'),
          code === undefined ? {} : { code },
        );
      },
    });
  expect(failing('MODULE_NOT_FOUND')).toThrow(
    expect.objectContaining({
      code: 'TRANSPARENT_UNAVAILABLE',
      message:
        '--transparent needs the package koffi, which is not installed: run "npm install koffi" in the folder ' +
        'where Adit is installed',
    }),
  );
  expect(failing()).toThrow(
    expect.objectContaining({
      code: 'TRANSPARENT_UNAVAILABLE',
      message: expect.stringContaining(
        'which cannot be loaded (Cannot find the native Koffi module; did you bundle it correctly?): run',
      ),
    }),
  );
});

onLinux('an option is read, or the answer is the errno', async () => {
  const options = loadSocketOptions();
  const fd = descriptorOf(await listening('127.0.0.1'))!;
  expect(options.read(fd, socketOption.transparent4, 4)).toEqual({ ok: true, bytes: new Uint8Array(4) });
  expect(options.read(fd, socketOption.originalDestination4, 16)).toMatchObject({
    ok: false,
    errno: expect.any(Number),
  });
  expect(options.read(1 << 30, socketOption.transparent4, 4)).toEqual({ ok: false, errno: 9 });
});

onLinux('an option is turned on where one may, and the answer is the errno where one may not', async () => {
  const options = loadSocketOptions();
  for (const [host, option] of [
    ['127.0.0.1', socketOption.transparent4],
    ['::1', socketOption.transparent6],
  ] as const) {
    const fd = descriptorOf(await listening(host))!;
    const turned = options.turnOn(fd, option);
    expect(turned).toEqual(process.getuid?.() === 0 ? { ok: true } : { ok: false, errno: 1 });
    expect(options.read(fd, option, 4)).toEqual({ ok: true, bytes: Uint8Array.of(turned.ok ? 1 : 0, 0, 0, 0) });
  }
});
