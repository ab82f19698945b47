import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import type { Carrier } from '@adit/shared/carrier/contract';
import { dialWebSocket } from '@adit/shared/carrier/websocket';
import { loadCredentials } from '@adit/shared/identity/credentials';
import { loadTrustAnchors } from '@adit/shared/identity/trust';
import { connectSession } from '@adit/shared/session/connect';
import {
  testCarrier,
  testEgress,
  testSession,
  testStream,
  type TestEgress,
} from '../../../../test/support/in-process.ts';
import { within } from '../../../../test/support/scope.ts';
import { echo } from '../../../../test/support/services.ts';

const upgrade = (lines: readonly string[] = [], path = '/adit'): string =>
  [
    `GET ${path} HTTP/1.1`,
    'Host: x',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    'Sec-WebSocket-Protocol: adit.v1',
    ...lines,
    '',
    '',
  ].join('\r\n');

/** Says it over TLS and returns all that comes back. */
async function say(
  egress: TestEgress,
  text: string,
  options: tls.ConnectionOptions = { ALPNProtocols: ['http/1.1'] },
): Promise<string> {
  const socket = tls.connect({
    host: '127.0.0.1',
    port: egress.port,
    ca: readFileSync(egress.certs.ca),
    minVersion: 'TLSv1.3',
    ...options,
  });
  socket.on('error', () => {
    /* what was said before counts */
  });
  await once(socket, 'secureConnect');
  socket.write(text);
  return heard(socket);
}

async function heard(socket: net.Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  await within(30_000, 'the end of the answer', once(socket, 'close'));
  return text;
}

function webSocket(egress: TestEgress, name = 'alice'): Promise<Carrier> {
  const { cert, key } = egress.certs.client(name);
  return dialWebSocket({
    host: '127.0.0.1',
    port: egress.port,
    path: '/adit',
    headers: {},
    serverName: '127.0.0.1',
    credentials: loadCredentials({ cert, key, role: 'client' }),
    ca: loadTrustAnchors(egress.certs.ca),
    deadlineMs: 30_000,
    signal: new AbortController().signal,
  });
}

test('one port tells frames from HTTP by ALPN, and a client without ALPN speaks HTTP', async () => {
  const egress = await testEgress();
  const carrier = await testCarrier(egress, egress.certs.client('alice'));
  await connectSession(carrier, { window: 262_144, agent: 'test', deadlineMs: 30_000 });
  carrier.duplex.destroy();
  for (const options of [{ ALPNProtocols: ['http/1.1'] }, {}])
    expect(await say(egress, 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n', options)).toMatch(
      /^HTTP\/1.1 200 OK[^]*\r\n\r\nok\n$/,
    );
});

test('a WebSocket inside mutual TLS carries a session, and the log says which carrier it is', async () => {
  const egress = await testEgress();
  const carrier = await webSocket(egress);
  const { welcome } = await connectSession(carrier, { window: 262_144, agent: 'test', deadlineMs: 30_000 });
  expect([carrier.kind, welcome.kind]).toEqual(['websocket', 'new']);
  expect(await egress.until((line) => line.event === 'connected')).toMatchObject({
    carrier: 'websocket',
    identity: 'spiffe://example.org/client/alice',
  });
  carrier.duplex.destroy();
});

test('what the policy does not know is refused over a WebSocket as over TLS, with the reason', async () => {
  const egress = await testEgress({
    policy: 'version: 1\nrules:\n  - name: bob\n    identities: [bob]\n    allow: ["127.0.0.1:*"]\n',
  });
  const carrier = await webSocket(egress);
  await expect(connectSession(carrier, { window: 262_144, agent: 'test', deadlineMs: 30_000 })).rejects.toMatchObject({
    code: 'IDENTITY_NOT_IN_POLICY',
  });
  carrier.duplex.destroy();
});

test.each([
  ['a wrong path', upgrade([], '/elsewhere'), '404 Not Found'],
  ['no key', upgrade().replace(/Sec-WebSocket-Key[^\n]*\n/, ''), '400 Bad Request'],
  ['a key that is none', upgrade().replace('AAAA==', '!'), '400 Bad Request'],
  ['an old version', upgrade().replace('Version: 13', 'Version: 8'), '426 Upgrade Required'],
  ['another subprotocol', upgrade().replace('adit.v1', 'chat'), '400 Bad Request'],
  ['another protocol', upgrade().replace('Upgrade: websocket', 'Upgrade: h2c'), '400 Bad Request'],
  ['bytes smuggled behind it', `${upgrade()}\x82\x05hello`, '400 Bad Request'],
  ['a body', upgrade(['Content-Length: 5']), '400 Bad Request'],
  ['a POST', upgrade().replace('GET', 'POST'), '405 Method Not Allowed'],
])('an upgrade request with %s is refused and the connection ended', async (_what, request, status) => {
  const egress = await testEgress();
  expect(await say(egress, request)).toMatch(new RegExp(`^HTTP/1.1 ${status}\r\n[^]*Connection: close`));
});

test.each([
  ['the path of the WebSocket without an upgrade', 'GET /adit HTTP/1.1\r\nHost: x\r\n\r\n', '426 Upgrade Required'],
  ['any other path', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', '404 Not Found'],
  ['a health check that is a POST', 'POST /healthz HTTP/1.1\r\nHost: x\r\n\r\n', '405 Method Not Allowed'],
  ['a request without a host', 'GET /healthz HTTP/1.1\r\n\r\n', '400 Bad Request'],
  ['what is no HTTP', '\x16\x03\x01nonsense\r\n\r\n', '400 Bad Request'],
  [
    'a head of 20 kB',
    `GET /healthz HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`,
    '431 Request Header Fields Too Large',
  ],
])('%s is answered with its status', async (_what, request, status) => {
  expect(await say(await testEgress(), request)).toMatch(new RegExp(`^HTTP/1.1 ${status}\r\n`));
});

test('a head that comes slowly is cut at the handshake deadline', async () => {
  const egress = await testEgress({ handshakeTimeoutMs: 2_000 });
  expect(await say(egress, 'GET /healthz HTTP/1.1\r\nHo')).toBe('');
});

test('without TLS around it, a WebSocket without the handshake inside is refused with the reason', async () => {
  const egress = await testEgress({ listenHttp: [{ listen: { kind: 'tcp', host: '127.0.0.1', port: 0 }, spec: '' }] });
  const socket = net.connect(Number(egress.server.addresses[1]!.split(':').at(-1)), '127.0.0.1');
  socket.on('error', () => {
    /* refused */
  });
  socket.write(upgrade());
  const [switching] = (await once(socket, 'data')) as [Buffer];
  expect(String(switching)).toMatch(/^HTTP\/1.1 101 /);
  socket.write(Buffer.from([0x82, 0x81, 0, 0, 0, 0, 0xc0])); // one binary message of one byte, as a HELLO begins
  const [message] = (await once(socket, 'data')) as [Buffer];
  expect([message[2], message.readUInt16BE(10)]).toEqual([0xc2, 32]); // REFUSE, CLIENT_CERT_MISSING
  socket.destroy();
  expect(await egress.until((line) => line.event === 'denied')).toMatchObject({ code: 'CLIENT_CERT_MISSING' });
});

test('an egress that drains says so to health checks', async () => {
  const egress = await testEgress({ drainTimeoutMs: 60_000 });
  const { opened, relay } = testStream(await testSession(egress, egress.certs.client('alice')), (await echo()).at);
  await opened;
  const early = tls.connect({
    host: '127.0.0.1',
    port: egress.port,
    ca: readFileSync(egress.certs.ca),
    ALPNProtocols: ['http/1.1'],
  });
  await once(early, 'secureConnect');
  const drained = egress.server.drain(new AbortController().signal);
  await egress.until((line) => line.event === 'draining');
  early.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
  expect(await heard(early)).toMatch(/^HTTP\/1.1 503 /);
  relay.abort('NO_ERROR', 'enough');
  await drained;
});
