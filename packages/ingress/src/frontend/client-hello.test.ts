import { duplexPair } from 'node:stream';
import { connect } from 'node:tls';
import { expect, test } from '@jest/globals';
import { alertFor, readGreeting, turnedAway } from './client-hello.ts';

test('what a client says first is its name, and every byte of it', async () => {
  const [duplex, far] = duplexPair();
  const seen: Buffer[] = [];
  const [near, wire] = duplexPair();
  wire.on('data', (chunk: Buffer) => {
    seen.push(chunk);
    far.write(chunk);
  });
  const client = connect({ socket: near, servername: 'web.example.com' }).on('error', () => {});
  const greeting = await readGreeting({ duplex }, 30_000);
  expect(greeting).toMatchObject({ serverName: 'web.example.com' });
  expect('hello' in greeting && Buffer.from(greeting.hello).equals(Buffer.concat(seen))).toBe(true);
  client.destroy();
});

test('what is no TLS is turned away with an alert', async () => {
  const [duplex, far] = duplexPair();
  far.write('GET / HTTP/1.1\r\n\r\n');
  expect(await readGreeting({ duplex }, 30_000)).toMatchObject({
    error: { code: 'CLIENT_MALFORMED', message: expect.stringContaining('not TLS') },
    answer: Uint8Array.of(21, 3, 3, 0, 2, 2, 10),
  });
  expect(turnedAway({ code: 'CLIENT_NO_ROUTE', reason: 'x', alert: 'unrecognizedName' })).toMatchObject({
    error: { code: 'CLIENT_NO_ROUTE' },
    answer: Uint8Array.of(21, 3, 3, 0, 2, 2, 112),
  });
});

test('a client that says nothing, or leaves in the middle, is told from one that speaks something else', async () => {
  const silent = duplexPair();
  await expect(readGreeting({ duplex: silent[0] }, 20)).rejects.toMatchObject({ code: 'CLIENT_TIMEOUT' });
  const leaving = duplexPair();
  leaving[1].end(Uint8Array.of(22, 3, 1, 2));
  await expect(readGreeting({ duplex: leaving[0] }, 30_000)).rejects.toMatchObject({ code: 'PEER_GONE' });
});

test('a denial and a failure have alerts of their own', () => {
  const alerts = (
    [
      'POLICY_DENIED',
      'ADDRESS_PROHIBITED',
      'UNKNOWN_SERVICE',
      'CONNECTION_REFUSED',
      'EGRESS_UNREACHABLE',
      'OVERLOAD',
    ] as const
  ).map((code) => alertFor(code)[6]);
  expect(alerts).toEqual([49, 49, 49, 80, 80, 80]);
});
