import { once } from 'node:events';
import http2 from 'node:http2';
import { expect, test } from '@jest/globals';
import { connectHttp2, http2Connection } from '../../../../test/support/connect-client.ts';
import { testEgress } from '../../../../test/support/in-process.ts';
import { within } from '../../../../test/support/scope.ts';
import { echo, service } from '../../../../test/support/services.ts';

test('many tunnels share one connection, which is one session of the identity', async () => {
  const egress = await testEgress({ maxSessionsPerIdentity: 1 });
  const to = await echo();
  const session = await http2Connection(egress, egress.certs.client('alice'));
  const tunnels = await Promise.all(Array.from({ length: 20 }, () => connectHttp2(session, to.at)));
  for (const [at, { duplex }] of tunnels.entries()) duplex.end(`tunnel ${at}`);
  expect(await Promise.all(tunnels.map(async ({ received }) => String((await received).bytes)))).toEqual(
    tunnels.map((_, at) => `tunnel ${at}`),
  );
  expect(await egress.until((line) => line.event === 'connected')).toMatchObject({
    carrier: 'h2',
    identity: 'spiffe://example.org/client/alice',
  });
  const second = await http2Connection(egress, egress.certs.client('alice'));
  expect((await connectHttp2(second, to.at)).text).toMatch(/^LIMIT_SESSIONS: /);
  session.destroy();
  await egress.until((line) => line.event === 'disconnected');
});

test('a refusal leaves the other tunnels alone', async () => {
  const egress = await testEgress();
  const session = await http2Connection(egress, egress.certs.client('alice'));
  const open = await connectHttp2(session, (await echo()).at);
  expect((await connectHttp2(session, '127.0.0.2:1')).status).toBe(403);
  open.duplex.end('still here');
  expect(String((await within(15_000, 'the echo', open.received)).bytes)).toBe('still here');
});

test('the settings and windows are those of the specification', async () => {
  const egress = await testEgress();
  const session = await http2Connection(egress, egress.certs.client('alice'));
  if (session.remoteSettings.maxConcurrentStreams !== 256) await once(session, 'remoteSettings');
  expect(session.remoteSettings).toMatchObject({
    initialWindowSize: 1_048_576,
    maxFrameSize: 65_536,
    maxConcurrentStreams: 256,
    maxHeaderListSize: 16_384,
    enableConnectProtocol: false,
  });
});

test('a slow service holds only its own tunnel', async () => {
  const egress = await testEgress();
  const session = await http2Connection(egress, egress.certs.client('alice'));
  const deaf = await service(
    (socket) => {
      socket.pause();
    },
    { pauseOnConnect: true },
  );
  const blocked = await connectHttp2(session, deaf.at);
  for (let wrote = true; wrote;) wrote = blocked.duplex.write(Buffer.alloc(1_000_000));
  const free = await connectHttp2(session, (await echo()).at);
  free.duplex.end(Buffer.alloc(3_000_000));
  expect((await within(30_000, 'the echo', free.received)).bytes.length).toBe(3_000_000);
});

test('what is no CONNECT is answered as over HTTP/1.1', async () => {
  const egress = await testEgress();
  const session = await http2Connection(egress, undefined);
  const ask = async (headers: http2.OutgoingHttpHeaders): Promise<[number | undefined, string, string | undefined]> => {
    const stream = session.request(headers);
    const [response] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader];
    let text = '';
    for await (const chunk of stream) text += String(chunk);
    expect(stream.rstCode).toBe(http2.constants.NGHTTP2_NO_ERROR);
    return [response[':status'], text, response['content-length']];
  };
  expect(await ask({ ':path': '/healthz' })).toEqual([200, 'ok\n', '3']);
  expect(await ask({ ':path': '/healthz', ':method': 'HEAD' })).toEqual([200, '', '3']);
  expect((await ask({ ':path': '/elsewhere', ':method': 'HEAD' })).slice(0, 2)).toEqual([404, '']);
  expect((await ask({ ':path': '/elsewhere' }))[0]).toBe(404);
  expect((await ask({ ':path': '/healthz', ':method': 'DELETE' }))[0]).toBe(405);
});

test('a host other than the authority, and a body, are refused', async () => {
  const egress = await testEgress();
  const session = await http2Connection(egress, egress.certs.client('alice'));
  expect((await connectHttp2(session, '127.0.0.1:9', { host: 'other:9' })).status).toBe(400);
  expect(egress.records).toEqual([]);
});

test.each([
  ['too many bytes', { 'x-long': 'x'.repeat(20_000) }],
  ['too many fields', Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`x-${at}`, '1']))],
])('a request with %s of headers is reset, and nothing is dialled', async (_what, headers) => {
  const egress = await testEgress();
  const session = await http2Connection(egress, egress.certs.client('alice'));
  // before it Node's own limit holds, 64 KiB
  if (session.remoteSettings.maxHeaderListSize !== 16_384) await once(session, 'remoteSettings');
  const stream = session.request(
    { ':method': 'CONNECT', ':authority': '127.0.0.1:9', ...headers },
    { endStream: false },
  );
  stream.on('error', () => {
    /* its code counts */
  });
  await within(
    15_000,
    'the reset',
    new Promise((resolve) => {
      stream.once('close', resolve);
    }),
  );
  expect(stream.rstCode).not.toBe(http2.constants.NGHTTP2_NO_ERROR);
  expect(egress.records).toEqual([]);
});

test('a drain tells the client to open no more', async () => {
  const egress = await testEgress();
  const session = await http2Connection(egress, egress.certs.client('alice'));
  const { duplex, received } = await connectHttp2(session, (await echo()).at);
  const goaway = once(session, 'goaway');
  const drained = egress.server.drain(new AbortController().signal);
  await within(15_000, 'GOAWAY', goaway);
  duplex.end('x');
  await within(15_000, 'the end', Promise.all([received, drained]));
});

test('a connection that breaks resets its tunnels at the service', async () => {
  const egress = await testEgress();
  const to = await echo();
  const session = await http2Connection(egress, egress.certs.client('alice'));
  await connectHttp2(session, to.at);
  session.destroy();
  expect((await egress.recorded()).end).toBe('reset');
  await to.idle();
});

test('a flood of tunnels that are reset at once ends the connection and leaves nothing behind', async () => {
  const egress = await testEgress();
  const to = await echo();
  const session = await http2Connection(egress, egress.certs.client('alice'));
  const closed = new Promise((resolve) => {
    session.once('close', resolve);
  });
  for (let n = 0; n < 5_000 && !session.closed && !session.destroyed; n++) {
    const stream = session.request({ ':method': 'CONNECT', ':authority': to.at }, { endStream: false });
    stream.on('error', () => {
      /* that is the point */
    });
    stream.close(http2.constants.NGHTTP2_CANCEL);
    if (n % 50 === 0) await new Promise(setImmediate);
  }
  await within(30_000, 'the end of the connection', closed);
  await to.idle();
  while (egress.server.streams > 0) await new Promise(setImmediate);
});
