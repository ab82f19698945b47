import { duplexPair, type Duplex } from 'node:stream';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { socks, type SocksOptions } from './socks.ts';

/** A front end that is asked, and the client's end of its connection. */
function asked(options: Partial<SocksOptions> = {}): {
  asking: ReturnType<ReturnType<typeof socks>['ask']>;
  client: Duplex;
  duplex: Duplex;
} {
  const [duplex, client] = duplexPair();
  return { asking: socks({ deadlineMs: 30_000, ...options }).ask({ duplex }), client, duplex };
}
const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

test('a request becomes a destination and replies of its version; later bytes stay in the duplex', async () => {
  const { asking, client, duplex } = asked();
  client.write(bytes('\x05\x01\x00\x05\x01\x00\x03\x0bdb.internal\x15\x38hello'));
  const ask = await asking;
  expect(ask).toMatchObject({
    frontEnd: 'socks',
    destination: { kind: 'host', host: 'db.internal', port: 5432 },
    accepted: Uint8Array.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0),
  });
  expect(String((await once(duplex.resume(), 'data'))[0])).toBe('hello');
  const refused = 'refused' in ask ? ask.refused : undefined;
  for (const [code, reply] of [
    ['POLICY_DENIED', 2],
    ['NETWORK_UNREACHABLE', 3],
    ['DNS_FAILED', 4],
    ['CONNECTION_REFUSED', 5],
    ['EGRESS_UNREACHABLE', 1],
    ['NO_ERROR', 1],
  ] as const)
    expect(refused?.({ code, reason: '' })[1]).toBe(reply);
});

test('SOCKS4 knows one no', async () => {
  const { asking, client } = asked();
  client.write(bytes('\x04\x01\x00\x50\x7f\x00\x00\x01\x00'));
  const ask = await asking;
  expect('accepted' in ask && ask.accepted?.[1]).toBe(90);
  expect('refused' in ask && ask.refused?.({ code: 'POLICY_DENIED', reason: '' })[1]).toBe(91);
});

test.each([
  ['\x05\x01\x00\x05\x03', 'CLIENT_UNSUPPORTED', 7],
  ['\x05\x01\x00\x05\x01\x00\x03\x03a b\x00\x50', 'CLIENT_MALFORMED', 4],
  ['\x05\x01\x02', 'CLIENT_UNAUTHENTICATED', 0xff],
])('a client that cannot be served is turned away in its own words: %j', async (said, code, word) => {
  const { asking, client } = asked();
  client.write(bytes(said));
  const turned = await asking;
  expect(turned).toMatchObject({ error: { code } });
  if ('answer' in turned) expect(turned.answer[1]).toBe(word);
});

test('a wrong password is turned away, a right one is not', async () => {
  const admits = (user: string, password: string): boolean => user === 'alice' && password === 's3cret';
  const wrong = asked({ admits });
  wrong.client.write(bytes('\x05\x01\x02\x01\x05alice\x06s3creT'));
  expect(await wrong.asking).toMatchObject({ error: { code: 'CLIENT_UNAUTHENTICATED' }, answer: Uint8Array.of(1, 1) });
  const right = asked({ admits });
  right.client.write(bytes('\x05\x01\x02\x01\x05alice\x06s3cret\x05\x01\x00\x03\x01a\x00\x50'));
  expect(await right.asking).toMatchObject({ destination: { host: 'a', port: 80 } });
});

test('a client that says nothing, or a byte now and then, is waited for until the deadline and no longer', async () => {
  const { asking, client } = asked({ deadlineMs: 100 });
  const drip = setInterval(() => client.write(Uint8Array.of(5)), 20);
  await expect(asking)
    .rejects.toMatchObject({ code: expect.stringMatching(/CLIENT_TIMEOUT/) })
    .finally(() => clearInterval(drip));
});

test('a client that leaves, and one that speaks something else, are told apart', async () => {
  const left = asked();
  left.client.write(bytes('\x05\x01'));
  left.client.end();
  await expect(left.asking).rejects.toMatchObject({ code: 'PEER_GONE' });
  const other = asked();
  other.client.write('GET / HTTP/1.1\r\n\r\n');
  await expect(other.asking).rejects.toMatchObject({ code: 'CLIENT_MALFORMED' });
});
