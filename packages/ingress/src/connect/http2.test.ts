import { once } from 'node:events';
import http2 from 'node:http2';
import net from 'node:net';
import { expect, test } from '@jest/globals';
import type { ProvenConnection } from '@adit/shared/carrier/proven-tls';
import { Deadline } from '@adit/shared/net/deadline';
import { encodeOpen } from '@adit/shared/protocol/open';
import { Relay, type RelayOutcome } from '@adit/shared/stream/relay';
import { atEnd, within } from '../../../../test/support/scope.ts';
import { Http2Tunnels } from './http2.ts';

/** A proxy of HTTP/2 on plain TCP. */
async function proxy(serve: (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => void) {
  const sessions: http2.ServerHttp2Session[] = [];
  const server = http2.createServer().listen(0, '127.0.0.1');
  server.on('session', (session) => {
    sessions.push(session);
    session.on('error', () => {
      /* arrives with `close` */
    });
  });
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {
      /* arrives with `close` */
    });
    serve(stream, headers);
  });
  await once(server, 'listening');
  const socket = net.connect({ host: '127.0.0.1', port: (server.address() as net.AddressInfo).port });
  await once(socket, 'connect');
  const tunnels = await Http2Tunnels.open(
    { socket: socket as ProvenConnection['socket'], transport: socket },
    { name: '127.0.0.1:1', deadline: new Deadline(15_000) },
  );
  atEnd(() => {
    tunnels.end();
    server.close();
  });
  const open = () => {
    const stream = tunnels.open(encodeOpen({ destination: { kind: 'host', host: 'db.internal', port: 5432 } }));
    let open!: () => void;
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    const ended = new Promise<RelayOutcome>((resolve) => {
      new Relay(stream, { opened: open, ended: resolve });
    });
    return { stream, opened, ended };
  };
  return { tunnels, sessions, open };
}

test('streams share the connection and are counted', async () => {
  const targets: unknown[] = [];
  const { tunnels, open } = await proxy((stream, headers) => {
    targets.push(headers[':authority']);
    stream.respond({ ':status': 200 });
  });
  await within(15_000, 'both', Promise.all([open().opened, open().opened]));
  expect([targets, tunnels.streams, tunnels.over]).toEqual([['db.internal:5432', 'db.internal:5432'], 2, false]);
});

test('a refusal has its code, and the connection lives on', async () => {
  const { tunnels, open } = await proxy((stream) => {
    stream.respond({ ':status': 504, 'proxy-status': 'x; error=connection_timeout' });
    stream.end('too late');
  });
  expect(await within(15_000, 'the refusal', open().ended)).toMatchObject({
    end: 'refused',
    code: 23,
    reason: 'the proxy answered 504 (connection_timeout)',
  });
  expect(tunnels.over).toBe(false);
});

test('a stream that is reset before its answer is refused', async () => {
  const { open } = await proxy((stream) => {
    stream.close(http2.constants.NGHTTP2_REFUSED_STREAM);
  });
  expect(await within(15_000, 'the refusal', open().ended)).toMatchObject({ end: 'refused', code: 57 });
});

test('after GOAWAY no more streams are opened, and open ones go on', async () => {
  const { tunnels, sessions, open } = await proxy((stream) => {
    stream.respond({ ':status': 200 });
  });
  const one = open();
  await within(15_000, 'the answer', one.opened);
  sessions[0]!.goaway(0);
  expect(await within(15_000, 'the end of opening', tunnels.gone)).toBe('the proxy sent GOAWAY');
  expect([tunnels.over, tunnels.streams, one.stream.dead]).toEqual([true, 1, false]);
});

test('a connection that breaks resets its streams', async () => {
  const { tunnels, sessions, open } = await proxy((stream) => {
    stream.respond({ ':status': 200 });
  });
  const one = open();
  await within(15_000, 'the answer', one.opened);
  sessions[0]!.destroy();
  expect((await within(15_000, 'the reset', one.ended)).end).toBe('reset');
  expect(tunnels.over || (await tunnels.gone)).toBeTruthy();
});

test('a proxy that sends nothing is given up', async () => {
  const deaf = net
    .createServer(() => {
      /* sends nothing */
    })
    .listen(0, '127.0.0.1');
  atEnd(() => {
    deaf.close();
  });
  await once(deaf, 'listening');
  const socket = net.connect({ host: '127.0.0.1', port: (deaf.address() as net.AddressInfo).port });
  await expect(
    Http2Tunnels.open(
      { socket: socket as ProvenConnection['socket'], transport: socket },
      { name: '127.0.0.1:1', deadline: new Deadline(50) },
    ),
  ).rejects.toMatchObject({ code: 'LINK_TIMEOUT' });
});
