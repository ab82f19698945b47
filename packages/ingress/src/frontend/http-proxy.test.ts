import { once } from 'node:events';
import { duplexPair, type Duplex } from 'node:stream';
import { expect, test } from '@jest/globals';
import { codes } from '@adit/shared';
import { httpProxy, refusalOf, type HttpProxyOptions } from './http-proxy.ts';

function asked(options: Partial<HttpProxyOptions> = {}): { asking: ReturnType<ReturnType<typeof httpProxy>['ask']>; client: Duplex; duplex: Duplex } {
  const [duplex, client] = duplexPair();
  return { asking: httpProxy({ deadlineMs: 30_000, ...options }).ask({ duplex }), client, duplex };
}

test('CONNECT becomes a destination; what follows it stays with the client', async () => {
  const { asking, client, duplex } = asked();
  client.write('CONNECT db.internal:5432 HTTP/1.1\r\nHost: a\r\n\r\nhello');
  expect(await asking).toMatchObject({ frontEnd: 'http', destination: { kind: 'host', host: 'db.internal', port: 5432 } });
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
  for (const [password, passes] of [['s3cret', true], ['other', false]] as const) {
    const { asking, client } = asked({ admits });
    client.write(`CONNECT a:1 HTTP/1.1\r\nHost: a\r\nProxy-Authorization: Basic ${btoa(`alice:${password}`)}\r\n\r\n`);
    if (passes) expect(await asking).toHaveProperty('destination');
    else expect(await asking).toMatchObject({ error: { code: 'CLIENT_UNAUTHENTICATED' } });
  }
});

test('every code of the table has an answer that is an error', () => {
  for (const code of Object.keys(codes) as (keyof typeof codes)[]) expect(Buffer.from(refusalOf({ code, reason: 'a test' })).toString()).toMatch(/^HTTP\/1\.1 [45]\d\d [A-Z][A-Za-z ]+\r\nProxy-Status: adit; error=[a-z_]+; /);
});
