import { expect, test } from '@jest/globals';
import { awaitSocks5Request, socks5Reply } from './socks5-server.ts';

test('a client that sends all of it at once is told the method and asked for no more', () => {
  const step = awaitSocks5Request().receive(Uint8Array.of(5, 1, 0, 5, 1, 0, 3, 1, 0x61, 0, 80, 0xaa));
  expect(step).toEqual({
    state: 'done',
    send: Uint8Array.of(5, 0),
    value: { ok: true, version: 5, destination: { kind: 'host', host: 'a', port: 80 } },
    rest: Uint8Array.of(0xaa),
  });
});

test('a step says only what is new', () => {
  const handshake = awaitSocks5Request(() => true);
  expect(handshake.receive(Uint8Array.of(5, 1, 2))).toEqual({ state: 'more', send: Uint8Array.of(5, 2) });
  expect(handshake.receive(Uint8Array.of(1, 1, 0x61))).toEqual({ state: 'more' });
  expect(handshake.receive(Uint8Array.of(0))).toEqual({ state: 'more', send: Uint8Array.of(1, 0) });
});

test('a reply tells no address', () => expect(socks5Reply(5)).toEqual(Uint8Array.of(5, 5, 0, 1, 0, 0, 0, 0, 0, 0)));
