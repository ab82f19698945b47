import { once } from 'node:events';
import { duplexPair, type Duplex } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { codes } from '@adit/shared/codes';
import { AditError } from '@adit/shared/errors';
import fc from 'fast-check';
import { httpProxy, refusalOf, type HttpProxyOptions } from './http-proxy.ts';

function asked(options: Partial<HttpProxyOptions> = {}): {
  asking: ReturnType<ReturnType<typeof httpProxy>['ask']>;
  client: Duplex;
  duplex: Duplex;
} {
  const [duplex, client] = duplexPair();
  return { asking: httpProxy({ deadlineMs: 30_000, ...options }).ask({ duplex }), client, duplex };
}

test('CONNECT becomes a destination; what follows it stays with the client', async () => {
  const { asking, client, duplex } = asked();
  client.write('CONNECT db.internal:5432 HTTP/1.1\r\nHost: a\r\n\r\nhello');
  expect(await asking).toMatchObject({
    frontEnd: 'http',
    destination: { kind: 'host', host: 'db.internal', port: 5432 },
  });
  expect(String((await once(duplex.resume(), 'data'))[0])).toBe('hello');
});

test('a request for an http:// URI becomes a destination and an exchange, and is not said yes to', async () => {
  const { asking, client } = asked();
  client.write('GET http://Example.org/x HTTP/1.1\r\nHost: a\r\n\r\n');
  const ask = await asking;
  expect(ask).toMatchObject({ destination: { host: 'example.org', port: 80 }, exchange: expect.any(Function) });
  expect(ask).not.toHaveProperty('accepted');
});

test('a client that says nothing, or a byte now and then, is told so at the deadline', async () => {
  const { asking, client } = asked({ deadlineMs: 100 });
  const bytes = [...'CONNECT a:1 HTTP/1.1'];
  const drip = setInterval(() => client.write(bytes.shift() ?? ''), 20);
  const turned = await asking;
  clearInterval(drip);
  expect(turned).toMatchObject({ error: { code: 'CLIENT_TIMEOUT' } });
  if ('answer' in turned) expect(Buffer.from(turned.answer).toString()).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
});

test('a client that leaves is no request', async () => {
  for (const leave of ['end', 'destroy'] as const) {
    const { asking, client, duplex } = asked();
    client.write('CONNECT a:1 HT');
    if (leave === 'end') client.end();
    else duplex.destroy();
    await expect(asking).rejects.toMatchObject({ code: 'PEER_GONE' });
  }
});

test('user and password are asked for before anything else is known', async () => {
  const admits = (user: string, password: string): boolean => user === 'alice' && password === 's3cret';
  // The last two are no base64: what cannot be decoded must not be thrown where nobody catches.
  for (const [encoded, passes] of [
    [btoa('alice:s3cret'), true],
    [btoa('alice:other'), false],
    ['/=', false],
    ['YQ=', false],
  ] as const) {
    const { asking, client } = asked({ admits });
    client.write(`CONNECT a:1 HTTP/1.1\r\nHost: a\r\nProxy-Authorization: Basic ${encoded}\r\n\r\n`);
    if (passes) expect(await asking).toHaveProperty('destination');
    else expect(await asking).toMatchObject({ error: { code: 'CLIENT_UNAUTHENTICATED' } });
  }
});

test('every code of the table has an answer that is an error', () => {
  for (const code of Object.keys(codes) as (keyof typeof codes)[])
    expect(Buffer.from(refusalOf({ code, reason: 'a test' })).toString()).toMatch(
      /^HTTP\/1\.1 [45]\d\d [A-Z][A-Za-z ]+\r\nProxy-Status: adit; error=[a-z_]+; /,
    );
  const own = { code: 'EGRESS_UNREACHABLE', reason: 'a test', advice: 'Dial another name.' } as const;
  expect(Buffer.from(refusalOf(own)).toString()).toMatch(/\nDial another name\.\n$/);
});

const good = [
  'CONNECT a.example:1 HTTP/1.1\r\nHost: a\r\nUser-Agent: x\r\n\r\n',
  'GET http://a.example/x HTTP/1.1\r\nHost: a\r\nAccept: x\r\n\r\n',
  'GET http://a.example/ HTTP/1.0\r\n\r\n',
  'POST http://a.example/ HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n',
];
const bad = [
  'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET https://a/ HTTP/1.1\r\nHost: a\r\n\r\n',
  'CONNECT a.b HTTP/1.1\r\nHost: a\r\n\r\n',
  'CONNECT a:1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n',
  'GET http://a/ HTTP/1.1\r\n\r\n',
  'GET http://a/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
  'POST http://a/ HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n',
  'POST http://a/ HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n',
  'POST http://a/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n',
  'POST http://a/ HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n',
  'GET http://a/ HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n',
  'GET http://a/ HTTP/1.1\nHost: a\n\n',
  'GET http://a/ HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n',
  'GET http://a/ HTTP/1.1\r\nHost : a\r\n\r\n',
  'GET http://a/ HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n',
  'GET http://a/ HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n',
  'SSH-2.0-OpenSSH\r\n',
  'GET http://a/ HTTP/2.0\r\nHost: a\r\n\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'CONNECT a:1 HTTP/1.1\r\nHost: a\r\nProxy-Authorization: Basic ???\r\nTransfer-Encoding: chunked\r\n\r\n',
];

/**
 * What comes of a request that is written in these parts: where to and what is left for the service, or what the client
 * is told.
 */
async function outcome(parts: readonly Buffer[], leaves: boolean): Promise<unknown> {
  const { asking, client, duplex } = asked();
  for (const part of parts) client.write(part);
  if (leaves) client.end();
  try {
    const ask = await asking;
    if ('answer' in ask)
      return {
        code: ask.error instanceof AditError && ask.error.code,
        answer: Buffer.from(ask.answer).toString().split('\r\n', 1)[0],
      };
    if (!('accepted' in ask)) return { destination: ask.destination };
    client.end();
    const rest: Buffer[] = [];
    for await (const chunk of duplex) rest.push(chunk as Buffer);
    return { destination: ask.destination, rest: Buffer.concat(rest).toString('hex') };
  } catch (error) {
    return { failed: error instanceof AditError ? error.code : error };
  } finally {
    duplex.destroy();
    client.destroy();
  }
}
function split(whole: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % (whole.length + 1)).toSorted((a, b) => a - b), whole.length];
  return places.slice(1).map((end, at) => whole.subarray(places[at], end));
}

describe('whatever the network does', () => {
  test(
    'any split of a request, good or bad, gives the same outcome; of CONNECT, what was sent behind it is left for ' +
      'the service',
    async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...good, ...bad),
          fc.uint8Array({ maxLength: 40 }),
          fc.array(fc.nat(500), { maxLength: 20 }),
          async (request, tail, cuts) => {
            const whole = Buffer.concat([
              Buffer.from(request, 'latin1'),
              request.startsWith('CONNECT a.example') ? tail : Buffer.alloc(0),
            ]);
            const [one, many] = [await outcome([whole], false), await outcome(split(whole, cuts), false)];
            expect(many).toEqual(one);
            if (request.startsWith('CONNECT a.example'))
              expect(one).toEqual({
                destination: { kind: 'host', host: 'a.example', port: 1 },
                rest: Buffer.from(tail).toString('hex'),
              });
            else if (good.includes(request))
              expect(one).toEqual({ destination: { kind: 'host', host: 'a.example', port: 80 } });
            else
              expect(one).toEqual({
                code: expect.stringMatching(/^CLIENT_(MALFORMED|UNSUPPORTED)$/),
                answer: expect.stringMatching(/^HTTP\/1\.1 4\d\d /),
              });
          },
        ),
        { numRuns: 300 },
      );
    },
  );

  test('bytes that are damaged, or cut where the client leaves, have an outcome that is one of these', async () => {
    const damage = fc.tuple(
      fc.constantFrom(...good, ...bad),
      fc.array(fc.tuple(fc.nat(120), fc.nat(255)), { maxLength: 3 }),
      fc.nat(200),
    );
    await fc.assert(
      fc.asyncProperty(damage, async ([request, changes, length]) => {
        const bytes = Buffer.from(request, 'latin1').subarray(0, length);
        for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
        const came = await outcome([bytes], true);
        expect([
          { destination: expect.anything(), rest: expect.any(String) },
          { destination: expect.anything() },
          { code: expect.any(String), answer: expect.stringMatching(/^HTTP\/1\.1 4\d\d /) },
          { failed: 'PEER_GONE' },
        ]).toContainEqual(came);
      }),
      { numRuns: 500 },
    );
  });
});
