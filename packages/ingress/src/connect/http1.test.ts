import { once } from 'node:events';
import net from 'node:net';
import { expect, test } from '@jest/globals';
import type { ProvenConnection } from '@adit/shared/carrier/proven-tls';
import { AditError } from '@adit/shared/errors';
import { encodeOpen } from '@adit/shared/protocol/open';
import { Relay, type RelayOutcome } from '@adit/shared/stream/relay';
import { atEnd, within } from '../../../../test/support/scope.ts';
import { Http1Tunnels } from './http1.ts';

/** A proxy on plain TCP, which answers what it is told to; and what asks it. */
async function asked(answer: string) {
  const requests: string[] = [];
  const server = net
    .createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => {
        /* arrives with `close` */
      });
      socket.on('data', (chunk) => {
        requests.push(String(chunk));
        if (requests.length === 1) socket.write(answer);
      });
      socket.on('end', () => socket.end());
    })
    .listen(0, '127.0.0.1');
  await once(server, 'listening');
  const tunnels = new Http1Tunnels({
    name: 'proxy.example:443',
    dial: async () => {
      const transport = net.connect({
        host: '127.0.0.1',
        port: (server.address() as net.AddressInfo).port,
        allowHalfOpen: true,
      });
      transport.on('error', () => {
        /* arrives with `close` */
      });
      await once(transport, 'connect');
      return { socket: transport as ProvenConnection['socket'], transport };
    },
  });
  atEnd(() => {
    tunnels.end();
    server.close();
  });
  const stream = tunnels.open(encodeOpen({ destination: { kind: 'host', host: 'db.internal', port: 5432 } }));
  const outcome = new Promise<RelayOutcome>((resolve) => {
    new Relay(stream, { ended: resolve });
  });
  return { tunnels, stream, outcome, requests };
}

test('asks for the target; the bytes after the answer belong to the stream', async () => {
  const { stream, requests, tunnels } = await asked('HTTP/1.1 200 OK\r\n\r\nbanner');
  const got = new Promise<string>((resolve) => {
    const relay = stream.events;
    stream.events = {
      ...relay,
      opened() {},
      refused() {},
      end() {},
      reset() {},
      writable() {},
      data: (bytes) => resolve(Buffer.from(bytes).toString()),
    };
  });
  expect(await within(15_000, 'bytes', got)).toBe('banner');
  expect([requests, tunnels.streams]).toEqual([
    ['CONNECT db.internal:5432 HTTP/1.1\r\nHost: db.internal:5432\r\n\r\n'],
    1,
  ]);
});

test.each([
  [
    'HTTP/1.1 403 Forbidden\r\nProxy-Status: x; error=http_request_denied; details="no"\r\n\r\n',
    16,
    'the proxy answered 403: no',
  ],
  ['HTTP/1.0 200 OK\nfolded\n', 1, expect.stringMatching(/^the proxy proxy\.example:443 sent something unexpected/)],
])('%j is a refusal', async (answer, code, reason) => {
  const { outcome, tunnels } = await asked(answer);
  expect(await within(15_000, 'the refusal', outcome)).toMatchObject({ end: 'refused', code, reason });
  while (tunnels.streams > 0) await new Promise(setImmediate);
  expect(tunnels.over).toBe(false);
});

test('after a dial that failed no more streams are opened, and the reason is known', async () => {
  const tunnels = new Http1Tunnels({
    name: 'x',
    dial: () => Promise.reject(new AditError('EGRESS_UNREACHABLE', 'nobody there')),
  });
  const stream = tunnels.open(encodeOpen({ destination: { kind: 'service', service: 'web' } }));
  const outcome = new Promise<RelayOutcome>((resolve) => {
    new Relay(stream, { ended: resolve });
  });
  expect(await outcome).toMatchObject({ end: 'refused', code: 57, reason: 'nobody there' });
  expect([await tunnels.gone, tunnels.over, tunnels.streams]).toEqual(['nobody there', true, 0]);
});

test('its end resets the open streams', async () => {
  const { tunnels, outcome } = await asked('HTTP/1.1 200 OK\r\n\r\n');
  tunnels.end();
  expect(await within(15_000, 'the reset', outcome)).toMatchObject({ end: 'reset' });
});
