import { duplexPair } from 'node:stream';
import { expect, test } from '@jest/globals';
import type { FrontEnd } from './contract.ts';
import { mixed } from './mixed.ts';

/** A front end that says which it is, and all that it is given to read. */
function named(name: string): FrontEnd {
  return {
    ask: ({ duplex }) =>
      new Promise((resolve) => {
        duplex
          .once('data', (chunk: Buffer) =>
            resolve({
              carry: 'splice',
              frontEnd: 'forward',
              destination: { kind: 'service', service: `${name} ${chunk.toString('latin1')}` },
            }),
          )
          .resume();
      }),
  };
}

async function asked(bytes: string, tls?: FrontEnd): Promise<unknown> {
  const [duplex, client] = duplexPair();
  client.write(bytes, 'latin1');
  const ask = await mixed({ socks: named('socks'), http: named('http'), ...(tls && { tls }), deadlineMs: 30_000 }).ask({
    duplex,
  });
  return 'destination' in ask && ask.destination;
}

test.each([
  ['\x05\x01\x00', 'socks'],
  ['\x04\x01', 'socks'],
  ['CONNECT a:1', 'http'],
  ['get http://a', 'http'],
])('%j goes to the front end that knows it, from its first byte on', async (bytes, name) => {
  expect(await asked(bytes)).toEqual({ kind: 'service', service: `${name} ${bytes}` });
});

test('TLS goes to the one that leads it by name, where there is one', async () => {
  expect(await asked('\x16\x03\x01', named('tls'))).toEqual({ kind: 'service', service: 'tls \x16\x03\x01' });
  expect(await asked('\x05\x01', named('tls'))).toEqual({ kind: 'service', service: 'socks \x05\x01' });
});

test.each(['\x16\x03', '\x00', ' ', '1'])('%j goes to none', async (bytes) => {
  await expect(asked(bytes)).rejects.toMatchObject({ code: 'CLIENT_MALFORMED' });
});

test('a client that says nothing is waited for until the deadline', async () => {
  const [duplex] = duplexPair();
  await expect(
    mixed({ socks: named('socks'), http: named('http'), deadlineMs: 20 }).ask({ duplex }),
  ).rejects.toMatchObject({ code: 'CLIENT_TIMEOUT' });
});
