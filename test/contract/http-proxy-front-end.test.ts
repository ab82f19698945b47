import { writeFileSync } from 'node:fs';
import http from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { testEgress, type TestEgress } from '../support/in-process.ts';
import { testIngress, type TestIngress } from '../support/in-process-ingress.ts';
import { longPattern } from '../support/long-pattern.ts';
import { atEnd, temporaryFolder, within } from '../support/scope.ts';
import { client, closedPort, service } from '../support/services.ts';
import { frontEndContract, listenAnywhere } from './front-end-contract.ts';
import { httpConnect, httpConnectWithPassword } from './http-dialects.ts';

const users = join(temporaryFolder(), 'users');
writeFileSync(users, 'alice:s3cret\n', { mode: 0o600 });

frontEndContract({ httpProxy: listenAnywhere }, [httpConnect]);
frontEndContract({ httpProxy: listenAnywhere, httpProxyAuthFile: users }, [httpConnectWithPassword]);

let egress: TestEgress;
let ingress: TestIngress;
async function proxy(): Promise<number> {
  egress ??= await testEgress();
  ingress ??= await testIngress(egress, egress.certs.client('alice'), {
    to: '127.0.0.1:1',
    forwards: [],
    httpProxy: listenAnywhere,
  });
  return ingress.port;
}

/** An HTTP server; its authority. */
async function origin(serve: http.RequestListener): Promise<string> {
  const server = http.createServer(serve).listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What the origin was asked, as it comes back: request line, fields and content. */
const mirror = (): Promise<string> =>
  origin((request, response) => {
    const chunks: Buffer[] = [];
    request
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .on('end', () => {
        response.setHeader('X-Served', 'yes');
        response.end(
          `${request.method} ${request.url}\n${request.rawHeaders.join('|')}\n${Buffer.concat(chunks).toString()}`,
        );
      });
  });

/** All that the proxy says to these bytes. */
async function said(text: string | readonly string[], { end = false } = {}): Promise<string> {
  const { socket, received } = await client(await proxy());
  for (const part of typeof text === 'string' ? [text] : text) {
    socket.write(part, 'latin1');
    await new Promise(setImmediate);
  }
  if (end) socket.end();
  const { bytes, ending } = await within(30_000, 'the end of the answer', received);
  socket.destroy();
  return `${bytes.toString('latin1')}${ending === 'reset' ? ' RESET' : ''}`;
}

describe('a request for an http:// URI', () => {
  test.each([false, true])(
    'goes on as one for a path, without what was for the proxy (client ends its half: %s)',
    async (end) => {
      const at = await mirror();
      const answer = await said(
        `GET http://${at}/a?b HTTP/1.1\r\nHost: other\r\nProxy-Connection: keep-alive\r\nAccept: x\r\n` +
          'Proxy-Authorization: Basic abcd\r\n\r\n',
        { end },
      );
      expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\nX-Served: yes\r\n/);
      expect(answer).toContain('\r\nConnection: close\r\n');
      expect(answer).toContain(`GET /a?b\nHost|${at}|Accept|x|Via|1.1 adit|Connection|close\n`);
    },
  );

  test('takes its content along, by length or in chunks, however it is split', async () => {
    const at = await mirror();
    expect(await said([`POST http://${at}/ HTTP/1.1\r\nHost: a\r\nContent-Len`, 'gth: 5\r\n\r\nhe', 'llo'])).toMatch(
      /Content-Length\|5\|.*\nhello/s,
    );
    const chunked = await said([
      `POST http://${at}/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n`,
      '2\r\nlo\r\n0\r\n\r\n',
    ]);
    expect(chunked).toMatch(/Transfer-Encoding\|chunked/);
    expect(chunked).toMatch(/\nhello$/);
    expect(await said(`DELETE http://${at}/ HTTP/1.1\r\nHost: a\r\n\r\n`)).not.toMatch(
      /Transfer-Encoding\||Content-Length\|/,
    );
  });

  test('waits for 100 Continue of the service, not of the proxy', async () => {
    const at = await origin((_request, response) => {
      response.writeHead(413, { Connection: 'close' }).end('too much');
    });
    const strict = http
      .createServer()
      .on('checkContinue', (_request, response) => {
        response.writeHead(417).end();
      })
      .listen(0, '127.0.0.1');
    await once(strict, 'listening');
    atEnd(() => {
      strict.closeAllConnections();
      strict.close();
    });
    const ask = (authority: string): string =>
      `POST http://${authority}/ HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n`;
    expect(await said(ask(`127.0.0.1:${(strict.address() as AddressInfo).port}`))).toMatch(/^HTTP\/1\.1 417 /);
    expect(await said([ask(at), 'hello'])).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 413 /);
  });

  test('is alone on its connection: bytes after it reach no service', async () => {
    const at = await mirror();
    const other = await mirror();
    const seen = egress.records.length;
    const answer = await said(
      `GET http://${at}/first HTTP/1.1\r\nHost: a\r\n\r\nGET http://${other}/second HTTP/1.1\r\nHost: a\r\n` +
        'Proxy-Authorization: Basic s3cret\r\n\r\n',
    );
    expect(answer).toContain('GET /first');
    expect(answer).not.toContain('second');
    await egress.recorded((record) => record.requested === at);
    expect(egress.records.slice(seen).filter((record) => record.requested === other)).toEqual([]);
  });

  test('of HTTP/1.0 is answered without chunks', async () => {
    const at = await origin((_request, response) => {
      response.write('one');
      response.end('two');
    });
    const answer = await said(`GET http://${at}/ HTTP/1.0\r\n\r\n`);
    expect(answer).not.toMatch(/transfer-encoding/i);
    expect(answer).toMatch(/\r\n\r\nonetwo$/);
  });

  test('of HEAD has no content, and the length that the service named', async () => {
    const at = await origin((_request, response) => {
      response.setHeader('Content-Length', '1234').end();
    });
    expect(await said(`HEAD http://${at}/ HTTP/1.1\r\nHost: a\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 200 OK\r\n[^]*Content-Length: 1234\r\n[^]*\r\n\r\n$/,
    );
  });

  test('brings an answer of 64 MiB, and one that ends with its connection', async () => {
    const chunk = Buffer.alloc(1 << 20, 'x');
    const big = await origin((_request, response) => {
      let left = 64;
      const more = (): void => {
        while (left-- > 0) if (!response.write(chunk)) return;
        response.end();
      };
      response.on('drain', more);
      more();
    });
    expect((await said(`GET http://${big}/ HTTP/1.0\r\n\r\n`)).length).toBeGreaterThan(64 << 20);
    const old = await service((socket) => {
      socket.once('data', () => {
        socket.end('HTTP/1.0 200 OK\r\n\r\nold style');
      });
    });
    expect(await said(`GET http://${old.at}/ HTTP/1.0\r\n\r\n`)).toMatch(/\r\n\r\nold style$/);
  });

  test('whose answer is cut is a reset, not an end', async () => {
    const at = await origin((_request, response) => {
      response.writeHead(200, { 'Content-Length': '1000' }).write('half');
      setImmediate(() => response.socket?.resetAndDestroy());
    });
    expect(await said(`GET http://${at}/ HTTP/1.1\r\nHost: a\r\n\r\n`)).toMatch(/ RESET$/);
    const short = await service((socket) => {
      socket.once('data', () => {
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
      });
    });
    expect(await said(`GET http://${short.at}/ HTTP/1.1\r\nHost: a\r\n\r\n`)).toMatch(/ RESET$/);
  });

  test('to a service that does not answer in HTTP is a 502 with the reason', async () => {
    const odd = await service((socket) => {
      socket.once('data', () => {
        socket.end('SSH-2.0-x\r\n');
      });
    });
    expect(await said(`GET http://${odd.at}/ HTTP/1.1\r\nHost: a\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 502 Bad Gateway\r\nProxy-Status: adit; error=http_protocol_error; /,
    );
    const silent = await service((socket) => {
      socket.once('data', () => {
        socket.end();
      });
    });
    expect(await said(`GET http://${silent.at}/ HTTP/1.1\r\nHost: a\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 502 Bad Gateway\r\nProxy-Status: adit; error=connection_terminated; /,
    );
    expect(await said(`GET http://127.0.0.1:${await closedPort()}/ HTTP/1.1\r\nHost: a\r\n\r\n`)).toMatch(
      longPattern(
        /^HTTP\/1\.1 502 Bad Gateway\r\nProxy-Status: adit; error=connection_refused; details="[^]*/,
        /adit-code=CONNECTION_REFUSED\r\n[^]*\r\n\r\nCONNECTION_REFUSED: .*\nNothing listens on that port/,
      ),
    );
  });

  test('whose client leaves in the middle leaves nothing behind', async () => {
    const reached: (() => void)[] = [];
    const slow = await origin((_request, response) => {
      response.write('x');
      for (const tell of reached.splice(0)) tell();
    });
    for (const leave of ['resetAndDestroy', 'destroy'] as const) {
      const { socket } = await client(await proxy());
      const reaching = new Promise<void>((resolve) => {
        reached.push(resolve);
      });
      socket.write(`GET http://${slow}/ HTTP/1.1\r\nHost: a\r\n\r\n`);
      await within(30_000, 'the service', reaching);
      socket[leave]();
      await egress.recorded((record) => record.requested === slow && record.end === 'reset');
    }
  });
});

describe('a request that cannot be trusted', () => {
  test.each([
    [
      'a length and a coding',
      'POST http://a/ HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['two lengths', 'POST http://a/ HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd'],
    ['a coding that is not the last', 'POST http://a/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n'],
    ['a coding in 1.0', 'POST http://a/ HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['a folded line', 'GET http://a/ HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n'],
    ['a bare LF', 'GET http://a/ HTTP/1.1\nHost: a\n\n'],
    ['a bare LF in the head', 'GET http://a/ HTTP/1.1\r\nHost: a\nX: y\r\n\r\n'],
    ['a bare CR', 'GET http://a/ HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n'],
    ['a space before a colon', 'GET http://a/ HTTP/1.1\r\nHost : a\r\n\r\n'],
    ['a NUL', 'GET http://a/ HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n'],
    ['two hosts', 'GET http://a/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
    ['no host', 'GET http://a/ HTTP/1.1\r\n\r\n'],
    ['CONNECT with content', 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello'],
    ['CONNECT without a port', 'CONNECT a.b HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a request for a server', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['https', 'GET https://a/ HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['another protocol', 'SSH-2.0-OpenSSH\r\n'],
  ])('is a 400 with the reason: %s', async (_, bytes) => {
    expect(await said(bytes)).toMatch(
      longPattern(
        /^HTTP\/1\.1 400 Bad Request\r\nProxy-Status: adit; error=http_request_error; details="[^]*/,
        /adit-code=CLIENT_MALFORMED\r\n[^]*\r\n\r\nCLIENT_MALFORMED: ./,
      ),
    );
  });

  test('a head of more than 64 KiB is a 431, one below is served', async () => {
    const { at } = await service((socket) => {
      socket
        .once('data', () => {
          socket.end('HTTP/1.0 200 OK\r\n\r\n');
        })
        .resume();
    });
    const field = `X: ${'y'.repeat(1000)}\r\n`;
    expect(await said(`GET http://${at}/ HTTP/1.1\r\nHost: a\r\n${field.repeat(70)}\r\n`)).toMatch(/^HTTP\/1\.1 431 /);
    expect(await said(`GET http://${at}/ HTTP/1.1\r\nHost: a\r\n${field.repeat(60)}\r\n`)).toMatch(/^HTTP\/1\.1 200 /);
  });

  test('an unknown expectation is a 417', async () =>
    expect(await said('GET http://a/ HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n')).toMatch(/^HTTP\/1\.1 417 /));
});

test('without the right password there is a 407 that asks for one, and no service is asked', async () => {
  const own = await testEgress();
  const guarded = await testIngress(own, own.certs.client('alice'), {
    to: '127.0.0.1:1',
    forwards: [],
    httpProxy: listenAnywhere,
    httpProxyAuthFile: users,
  });
  for (const auth of ['', `Proxy-Authorization: Basic ${btoa('alice:wrong')}\r\n`]) {
    for (const line of ['CONNECT 127.0.0.1:1 HTTP/1.1', 'GET http://127.0.0.1:1/ HTTP/1.1']) {
      const { socket, received } = await client(guarded.port);
      socket.write(`${line}\r\nHost: a\r\n${auth}\r\n`);
      expect((await within(30_000, 'the answer', received)).bytes.toString()).toMatch(
        /^HTTP\/1\.1 407 Proxy Authentication Required\r\n[^]*\r\nProxy-Authenticate: Basic /,
      );
      socket.destroy();
    }
  }
  expect(own.records).toEqual([]);
  expect(JSON.stringify(guarded.lines)).not.toContain('wrong:');
});
