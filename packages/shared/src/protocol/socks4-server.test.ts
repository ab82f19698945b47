import { expect, test } from '@jest/globals';
import { awaitSocks4Request, socks4Reply } from './socks4-server.ts';

const request = (...tail: number[]): Uint8Array => Uint8Array.of(4, 1, 0, 80, 0, 0, 0, 1, ...tail);

test('waits for the end of the user id, and of the name', () => {
  const handshake = awaitSocks4Request({ passwordAsked: false });
  expect(handshake.receive(request(0x62))).toEqual({ state: 'more' });
  expect(handshake.receive(Uint8Array.of(0, 0x61))).toEqual({ state: 'more' });
  expect(handshake.receive(Uint8Array.of(0, 9))).toEqual({
    state: 'done',
    value: { ok: true, version: 4, destination: { kind: 'host', host: 'a', port: 80 } },
    rest: Uint8Array.of(9),
  });
});

test('a name without an end is not read for ever', () => {
  expect(
    awaitSocks4Request({ passwordAsked: false }).receive(request(0, ...new Uint8Array(256).fill(0x61))),
  ).toMatchObject({ state: 'failed' });
});

test('there is one yes and one no', () => {
  expect(socks4Reply(true)).toEqual(Uint8Array.of(0, 90, 0, 0, 0, 0, 0, 0));
  expect(socks4Reply(false)).toEqual(Uint8Array.of(0, 91, 0, 0, 0, 0, 0, 0));
});
