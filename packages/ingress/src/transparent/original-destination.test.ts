import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { originalDestination, readSockaddr } from './original-destination.ts';
import { socketOption, type SocketOption } from '@adit/shared/native/socket-options';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'));

test.each([
  ['0200 1538 0a000005 0000000000000000', '10.0.0.5', 5432],
  ['0002 1538 0a000005 0000000000000000', '10.0.0.5', 5432],
  ['0a00 01bb 00000000 20010db8000000000000000000000007 00000000', '2001:db8::7', 443],
  ['000a ffff 12345678 fd000000000000000000000000000001 00000002', 'fd00::1', 65535],
  ['0a00 0050 00000000 00000000000000000000ffff0a000005 00000000', '10.0.0.5', 80],
])('%s is %s port %i, in either byte order of the family', (bytes, host, port) => {
  expect(readSockaddr(hex(bytes))).toEqual({ host, port });
});

test.each(['', '02', '0200 1538 0a0000', '0100 1538 0a000005 0000000000000000', '0a00 01bb 00000000 20010db8'])(
  '%j is not an address',
  (bytes) => {
    expect(readSockaddr(hex(bytes))).toBeUndefined();
  },
);

test('no bytes throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      readSockaddr(bytes);
    }),
  );
});

/** A kernel that answers one option. */
function kernel(known: SocketOption, answer: string) {
  return {
    read: (_fd: number, option: SocketOption, length: number) =>
      option === known
        ? ({ ok: true, bytes: hex(answer).subarray(0, length) } as const)
        : ({ ok: false, errno: 2 } as const),
  };
}

test('a redirected connection goes where conntrack says', () => {
  const four = kernel(socketOption.originalDestination4, '0200 1538 0a000005 0000000000000000');
  expect(originalDestination({ address: '127.0.0.1', port: 4000, fd: 7 }, four)).toEqual({
    host: '10.0.0.5',
    port: 5432,
  });
  expect(originalDestination({ address: '::ffff:127.0.0.1', port: 4000, fd: 7 }, four)).toEqual({
    host: '10.0.0.5',
    port: 5432,
  });
  expect(
    originalDestination(
      { address: '::1', port: 4000, fd: 7 },
      kernel(socketOption.originalDestination6, '0a00 01bb 00000000 20010db8000000000000000000000007 00000000'),
    ),
  ).toEqual({ host: '2001:db8::7', port: 443 });
});

test('a connection that conntrack does not know goes to the address at which it arrived, without the zone', () => {
  const nothing = { read: () => ({ ok: false, errno: 2 }) as const };
  expect(originalDestination({ address: '::ffff:10.0.0.9', port: 25, fd: 7 }, nothing)).toEqual({
    host: '10.0.0.9',
    port: 25,
  });
  expect(originalDestination({ address: 'fe80::1%eth0', port: 25, fd: 7 }, nothing)).toEqual({
    host: 'fe80::1',
    port: 25,
  });
});

test('an address that does not parse is an internal error of that one connection', () => {
  expect(() =>
    originalDestination({ address: 'nowhere', port: 1, fd: 7 }, { read: () => ({ ok: false, errno: 2 }) }),
  ).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
});
