import { networkInterfaces } from 'node:os';
import { duplexPair } from 'node:stream';
import { expect, test } from '@jest/globals';
import { neededOptions, transparentListeners } from './listeners.ts';
import { socketOption, type SocketOption, type SocketOptions } from '@adit/shared/native/socket-options';

const errno = (number: number) => ({ ok: false, errno: number }) as const;

/** A kernel without conntrack, which makes those transparent that are named. */
function kernel(...may: readonly SocketOption[]): {
  readonly options: SocketOptions;
  readonly turned: [number, SocketOption][];
} {
  const turned: [number, SocketOption][] = [];
  return {
    turned,
    options: {
      read: () => errno(2),
      tryOn: () => errno(2),
      set: (fd, option) => {
        turned.push([fd, option]);
        return may.includes(option) ? { ok: true } : errno(1);
      },
    },
  };
}

test('a connection straight to a listener is refused at every address of the machine; a redirected one goes on', () => {
  const { frontEnd, opened } = transparentListeners(kernel().options);
  opened({ address: '[::]:4000', port: 4000, descriptors: [3] }, false);
  const [duplex] = duplexPair();
  const asked = (address: string, port: number) => frontEnd.ask({ duplex, arrival: { address, port, fd: 9 } });
  const own = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .map(({ address }) => address);
  for (const address of ['127.0.0.1', '127.8.9.1', '::ffff:127.0.0.1', ...own])
    expect(() => asked(address, 4000)).toThrow(expect.objectContaining({ code: 'CLIENT_NOT_REDIRECTED' }));
  expect(asked('192.0.2.9', 4000)).toMatchObject({ destination: { host: '192.0.2.9', port: 4000 } });
  expect(asked('127.0.0.1', 4001)).toMatchObject({ destination: { host: '127.0.0.1', port: 4001 } });
});

test('only a listener for TPROXY is made transparent, all of its sockets, by the option of its family', () => {
  const six = kernel(socketOption.transparent6);
  transparentListeners(six.options).opened({ address: '[::]:1', port: 1, descriptors: [3, 4] }, true);
  expect(six.turned).toEqual([
    [3, socketOption.transparent6],
    [4, socketOption.transparent6],
  ]);
  const four = kernel(socketOption.transparent4);
  transparentListeners(four.options).opened({ address: '127.0.0.1:1', port: 1, descriptors: [3] }, true);
  expect(four.turned.at(-1)).toEqual([3, socketOption.transparent4]);
  const neither = kernel();
  transparentListeners(neither.options).opened({ address: '127.0.0.1:1', port: 1, descriptors: [3] }, false);
  expect(neither.turned).toEqual([]);
});

test('a listener that cannot be made transparent stops the start, and the error names the missing capability', () => {
  expect(() =>
    transparentListeners(kernel().options).opened({ address: '127.0.0.1:4000', port: 4000, descriptors: [3] }, true),
  ).toThrow(
    expect.objectContaining({
      code: 'LISTEN_FAILED',
      message: expect.stringMatching(
        /TPROXY connections at 127\.0\.0\.1:4000: that needs the capability CAP_NET_ADMIN/,
      ),
    }),
  );
});

test('without native calls the start fails, and the error says what is missing', () => {
  expect(() => neededOptions({ missing: 'Linux, and this is darwin' })).toThrow(
    expect.objectContaining({
      code: 'TRANSPARENT_UNAVAILABLE',
      message: '--transparent needs Linux, and this is darwin',
    }),
  );
});
