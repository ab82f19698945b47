import { duplexPair } from 'node:stream';
import { expect, test } from '@jest/globals';
import type { HostPort } from '@adit/shared/protocol/destination';
import { transparent } from './transparent.ts';

const [duplex] = duplexPair();
const arrival = { address: '127.0.0.1', port: 4000, fd: 9 };

/** The answer about a connection that was on its way to `original`. */
function asked(original: HostPort) {
  const is =
    (host: string, port: number) =>
    (place: HostPort): boolean =>
      place.host === host && place.port === port;
  return transparent({
    originalOf: () => original,
    isListener: is('127.0.0.1', 4000),
    isOutgoing: is('192.0.2.1', 8443),
  }).ask({ duplex, arrival });
}

test('the destination is the address that was dialled', () => {
  expect(asked({ host: '10.0.0.5', port: 5432 })).toEqual({
    carry: 'splice',
    frontEnd: 'transparent',
    destination: { kind: 'host', host: '10.0.0.5', port: 5432 },
  });
  expect(asked({ host: '2001:db8::7', port: 443 })).toEqual({
    carry: 'splice',
    frontEnd: 'transparent',
    destination: { kind: 'host', host: '2001:db8::7', port: 443 },
  });
  expect(asked({ host: '192.0.2.1', port: 22 })).toMatchObject({ destination: { port: 22 } });
});

test('a connection straight to the listener is refused', () => {
  expect(() => asked({ host: '127.0.0.1', port: 4000 })).toThrow(
    expect.objectContaining({
      code: 'CLIENT_NOT_REDIRECTED',
      message: expect.stringContaining('straight to 127.0.0.1:4000'),
    }),
  );
});

test('a connection to where the ingress itself connects is refused as a loop', () => {
  expect(() => asked({ host: '192.0.2.1', port: 8443 })).toThrow(
    expect.objectContaining({ code: 'TRANSPARENT_LOOP', message: expect.stringContaining('192.0.2.1:8443') }),
  );
});

test('a client that is gone already is said to be', () => {
  expect(() =>
    transparent({
      originalOf: () => ({ host: '10.0.0.5', port: 1 }),
      isListener: () => false,
      isOutgoing: () => false,
    }).ask({ duplex }),
  ).toThrow(expect.objectContaining({ code: 'PEER_GONE' }));
});
