import { once } from 'node:events';
import http from 'node:http';
import { duplexPair, type Duplex } from 'node:stream';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { AditError } from '@adit/shared/errors';
import { absoluteTarget } from '@adit/shared/protocol/http-proxy';
import { exchangeHttp } from './http-exchange.ts';

/** An exchange between a client and a service that are both this test. */
async function exchanged(
  request: string,
): Promise<{ over: Promise<void>; client: Duplex; service: Duplex; toService: Duplex; heard: () => string }> {
  const [duplex, client] = duplexPair();
  const [toService, service] = duplexPair();
  const server = http.createServer();
  const asked = once(server, 'request') as Promise<[http.IncomingMessage, http.ServerResponse]>;
  let text = '';
  client.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  client.write(request);
  server.emit('connection', duplex);
  const [message, response] = await asked;
  const target = absoluteTarget('GET', message.url!);
  if (!target.ok) throw new Error(target.reason);
  return {
    over: exchangeHttp({ request: message, response, duplex, service: toService, target: target.value }),
    client,
    service,
    toService,
    heard: () => text,
  };
}

const get = 'GET http://example.org/x HTTP/1.1\r\nHost: b\r\n\r\n';

test('the service is asked for the path, and its answer is all that the client hears', async () => {
  const { over, client, service, heard } = await exchanged(get);
  expect(String((await once(service, 'data'))[0])).toBe(
    'GET /x HTTP/1.1\r\nHost: example.org\r\nVia: 1.1 adit\r\nConnection: close\r\n\r\n',
  );
  service.end('HTTP/1.1 200 Fine\r\nContent-Length: 2\r\nKeep-Alive: timeout=5\r\n\r\nok');
  await once(client, 'end');
  client.end();
  await over;
  expect(heard()).toBe('HTTP/1.1 200 Fine\r\nContent-Length: 2\r\nVia: 1.1 adit\r\nConnection: close\r\n\r\nok');
});

test('a stream that fails before the answer is told with its code; one that fails in it is a cut', async () => {
  const before = await exchanged(get);
  before.toService.destroy(new AditError('LINK_LOST', 'a test'));
  await once(before.client, 'end');
  before.client.end();
  await before.over;
  expect(before.heard()).toMatch(
    /^HTTP\/1\.1 502 Bad Gateway\r\nProxy-Status: adit; error=connection_terminated; details="/,
  );
  expect(before.heard()).toMatch(/^Proxy-Status: [^\n]*details="[^\n]*adit-code=LINK_LOST/m);

  const within = await exchanged(get);
  await once(within.service, 'data');
  within.service.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf');
  await once(within.client, 'data');
  within.toService.destroy(new AditError('LINK_LOST', 'a test'));
  await expect(within.over).rejects.toBeInstanceOf(AditError);
});

test('an answer in a coding that nobody asked for, and a switch of protocols, are not passed on', async () => {
  for (const answer of [
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
  ]) {
    const { over, service, client, heard } = await exchanged(get);
    client.on('end', () => client.end());
    await once(service, 'data');
    service.write(answer);
    await over.catch((error: unknown) => expect(error).toMatchObject({ code: 'PROTOCOL_ERROR' }));
    expect(heard()).not.toMatch(/^HTTP\/1\.1 (101|200)/);
  }
});

const whole = [
  'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1;x=y\r\nk\r\n0\r\n\r\n',
  'HTTP/1.0 200 OK\r\n\r\nok',
  'HTTP/1.1 204 None\r\nX: y\r\n\r\n',
  'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nok',
];
const untrustworthy = [
  'SSH-2.0-x\r\n',
  'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok',
  'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/1.1 200 OK\r\nX : a\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/1.1 200 OK\r\nX: \0\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/1.1 2000 OK\r\n\r\n',
  'HTTP/9.9 200 OK\r\n\r\n',
  'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n',
  'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n',
  '',
];
const cutShort = [
  'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nok',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
];

test('a response is the same however it is split; a broken one is a 502, and a cut one is never whole', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...whole, ...untrustworthy, ...cutShort),
      fc.array(fc.nat(100), { maxLength: 10 }),
      async (answer, cuts) => {
        const places = [0, ...cuts.map((cut) => cut % (answer.length + 1)).toSorted((a, b) => a - b), answer.length];
        const { over, service, client, heard } = await exchanged(get);
        client.on('end', () => client.end());
        await once(service, 'data');
        for (const [at, end] of places.slice(1).entries()) service.write(answer.slice(places[at], end), 'latin1');
        service.end();
        const ending = await over.then(
          () => 'whole',
          (error: unknown) => (error instanceof AditError ? 'cut' : error),
        );
        if (cutShort.includes(answer)) expect(ending).toBe('cut');
        else expect(ending).toBe('whole');
        if (untrustworthy.includes(answer))
          expect(heard()).toMatch(
            /^HTTP\/1\.1 502 Bad Gateway\r\nProxy-Status: adit; error=(http_protocol_error|connection_terminated); /,
          );
        if (!whole.includes(answer)) return;
        const [head = '', ...body] = heard().split('\r\n\r\n');
        expect(head).toMatch(/^HTTP\/1\.1 (200 OK|204 None|404 Not Found)\r\n[^]*Connection: close/);
        const content = body.join('\r\n\r\n');
        expect(
          /^Transfer-Encoding: chunked$/m.test(head) ? content.replace(/[\da-f]+\r\n(\w*)\r\n/g, '$1') : content,
        ).toBe(answer.includes('204') ? '' : 'ok');
      },
    ),
    { numRuns: 300 },
  );
});
