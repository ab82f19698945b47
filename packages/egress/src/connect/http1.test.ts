import net from 'node:net';
import { expect, test } from '@jest/globals';
import { askHttp1, connectHttp1 } from '../../../../test/support/connect-client.ts';
import { testEgress } from '../../../../test/support/in-process.ts';
import { eventually, within } from '../../../../test/support/scope.ts';
import { type Client, closedPort, echo, service, watched } from '../../../../test/support/services.ts';

test('bytes sent behind the request reach the service once it is dialled', async () => {
  const egress = await testEgress();
  const to = await echo();
  const { status, duplex, received } = await askHttp1(
    egress,
    egress.certs.client('alice'),
    `CONNECT ${to.at} HTTP/1.1\r\nHost: ${to.at}\r\n\r\nearly`,
  );
  expect(status).toBe(200);
  duplex.end(' and late');
  expect(String((await within(15_000, 'the echo', received)).bytes)).toBe('early and late');
});

test('bytes sent behind a request that is refused are dropped', async () => {
  const egress = await testEgress();
  const to = `127.0.0.1:${await closedPort()}`;
  const { status } = await askHttp1(
    egress,
    egress.certs.client('alice'),
    `CONNECT ${to} HTTP/1.1\r\nHost: ${to}\r\n\r\n${'GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(1_000)}`,
  );
  expect(status).toBe(502);
  expect(await egress.recorded()).toMatchObject({ code: 'CONNECTION_REFUSED', end: 'refused', bytesDown: 0 });
});

test.each([
  ['that announces a body', 'Host: 127.0.0.1:9\r\nContent-Length: 5', /a CONNECT has no body/],
  ['that announces chunks', 'Host: 127.0.0.1:9\r\nTransfer-Encoding: chunked', /a CONNECT has no body/],
  ['whose Host is another', 'Host: 127.0.0.1:10', /Host names something other/],
  ['with two Hosts', 'Host: 127.0.0.1:9\r\nHost: 127.0.0.1:9', /.+/],
])('a request %s is refused, and nothing is dialled', async (_what, headers, text) => {
  const egress = await testEgress();
  const answer = await askHttp1(
    egress,
    egress.certs.client('alice'),
    `CONNECT 127.0.0.1:9 HTTP/1.1\r\n${headers}\r\n\r\nhello`,
  );
  expect([answer.status, answer.text]).toEqual([400, expect.stringMatching(text)]);
  expect(egress.records).toEqual([]);
});

test('a client that vanishes is a reset at the service, though the kernel ends its connection with a FIN', async () => {
  const egress = await testEgress();
  const arriving: Client[] = [];
  const to = await service((socket) => arriving.push(watched(socket)));
  const { duplex, vanish } = await connectHttp1(egress, egress.certs.client('alice'), to.at);
  duplex.write('x', vanish);
  await eventually('the connection at the service', () => arriving.length > 0);
  expect((await within(15_000, 'the ending', arriving[0]!.received)).ending).toBe('reset');
  expect(await egress.recorded()).toMatchObject({ end: 'reset', code: 'PEER_GONE', bytesUp: 1 });
});

test('so is one that vanishes after the service has ended', async () => {
  const egress = await testEgress();
  const to = await service((socket) => {
    socket.resume().end('done');
  });
  const { received, vanish } = await connectHttp1(egress, egress.certs.client('alice'), to.at);
  expect((await within(15_000, 'the end', received)).ending).toBe('end');
  vanish();
  expect((await egress.recorded()).end).toBe('reset');
});

test('without TLS there is no identity, and no CONNECT', async () => {
  const egress = await testEgress({ listenHttp: [{ listen: { kind: 'tcp', host: '127.0.0.1', port: 0 }, spec: '' }] });
  const socket = net.connect({ host: '127.0.0.1', port: Number(egress.server.addresses[1]!.split(':').at(-1)) });
  socket.write('CONNECT 127.0.0.1:9 HTTP/1.1\r\nHost: 127.0.0.1:9\r\n\r\n');
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  expect(text).toMatch(
    new RegExp(
      '^HTTP/1\\.1 403 Forbidden\r\n[^]*\r\nproxy-status: adit; error=http_request_denied;[^]*\r\n\r\n' +
        'CLIENT_CERT_MISSING: CONNECT needs a TLS connection to the egress itself',
    ),
  );
});
