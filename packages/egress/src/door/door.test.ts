import diagnostics from 'node:diagnostics_channel';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import tls from 'node:tls';
import { expect, test } from '@jest/globals';
import type { ListenSpec } from '@adit/shared/config/values/listen-at';
import { parseCidr } from '@adit/shared/protocol/address';
import { testCarrier, testEgress } from '../../../../test/support/in-process.ts';
import { atEnd, temporaryFolder, within } from '../../../../test/support/scope.ts';
import { proxyBlock } from '../../../shared/src/protocol/proxy-protocol-writer.ts';

test('listens on every address it was given, and says which', async () => {
  const egress = await testEgress({
    listen: [
      { listen: { kind: 'tcp', host: '127.0.0.1', port: 0 }, spec: '' },
      { listen: { kind: 'tcp', host: '::1', port: 0 }, spec: '' },
    ],
  });
  expect(egress.server.addresses).toEqual([
    expect.stringMatching(/^127\.0\.0\.1:\d+$/),
    expect.stringMatching(/^\[::1\]:\d+$/),
  ]);
  expect(egress.lines.filter((line) => line.event === 'listening').map((line) => line['address'])).toEqual(
    egress.server.addresses,
  );
});

test(
  'behind a trusted load balancer the client of the header is the one that is logged, and a connection without ' +
    'header is dropped',
  async () => {
    const range = parseCidr('127.0.0.0/8');
    const egress = await testEgress({
      acceptProxyProtocol: range.ok ? [range.value] : [],
      listenHttp: [{ listen: { kind: 'tcp', host: '127.0.0.1', port: 0 }, spec: '' }],
    });
    const ends = { source: { host: '192.0.2.7', port: 51_514 }, destination: { host: '192.0.2.8', port: 443 } };
    const ask = async (port: number, bytes: Uint8Array): Promise<string> => {
      const socket = net.connect({ host: '127.0.0.1', port });
      socket.on('error', () => {
        /* seen as an end */
      });
      socket.write(bytes);
      const chunks: Buffer[] = [];
      for await (const chunk of socket) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks).toString('latin1');
    };
    await ask(egress.port, Buffer.concat([proxyBlock({ ends }), Buffer.from('no TLS at all')]));
    expect(await egress.until((line) => line.event === 'handshake')).toMatchObject({ remote: '192.0.2.7:51514' });
    expect(
      await ask(
        Number(egress.server.addresses[1]!.split(':')[1]),
        Buffer.concat([proxyBlock({ ends }), Buffer.from('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')]),
      ),
    ).toMatch(/^HTTP\/1\.1 200 /);
    await expect(testCarrier(egress, egress.certs.client('alice'))).rejects.toMatchObject({
      code: expect.stringMatching(/^LINK_|^EGRESS_UNREACHABLE/),
    });
    expect(await egress.until((line) => line.event === 'denied')).toMatchObject({
      code: 'PROTOCOL_ERROR',
      remote: expect.stringMatching(/^127\.0\.0\.1:/),
    });
  },
);

test('who waits for its PROXY header holds a place among the handshakes, and loses it at their deadline', async () => {
  const range = parseCidr('127.0.0.1');
  const egress = await testEgress({
    acceptProxyProtocol: range.ok ? [range.value] : [],
    maxHandshakes: 1,
    handshakeTimeoutMs: 500,
  });
  const [slow, next] = [0, 1].map(() =>
    net
      .connect({ host: '127.0.0.1', port: egress.port })
      .on('error', () => {
        /* seen as an end */
      })
      .resume(),
  ) as [net.Socket, net.Socket];
  slow.write('PROXY TCP4 192.0.2.1');
  await Promise.all(
    [slow, next].map(
      (socket) =>
        new Promise((resolve) => {
          socket.once('close', resolve);
        }),
    ),
  );
  expect(await egress.until((line) => line['code'] === 'OVERLOAD')).toMatchObject({ event: 'denied' });
  expect(await egress.until((line) => line['code'] === 'LINK_TIMEOUT')).toMatchObject({
    event: 'denied',
    remote: expect.stringMatching(/^127\.0\.0\.1:/),
  });
});

test('a Unix socket serves as an address does: TLS, HTTP, and PROXY headers where they are expected', async () => {
  const folder = temporaryFolder();
  const [plain, announced, web] = ['t.sock', 'p.sock', 'h.sock'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const at = (path: string, more: { readonly acceptProxy?: true } = {}): ListenSpec => ({
    listen: { kind: 'unix', path },
    spec: path,
    ...more,
  });
  const egress = await testEgress({ listen: [at(plain), at(announced, { acceptProxy: true })], listenHttp: [at(web)] });
  const { cert, key } = egress.certs.client('alice');
  const secure = async (path: string, header: Uint8Array): Promise<string> => {
    const socket = net.connect({ path });
    await once(socket, 'connect');
    socket.write(header);
    const over = tls.connect({
      socket,
      cert: readFileSync(cert),
      key: readFileSync(key),
      ca: readFileSync(egress.certs.ca),
      servername: 'localhost',
      ALPNProtocols: ['http/1.1'],
    });
    over.write('GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    return ((await over.toArray()) as Buffer[]).join('');
  };
  expect(await secure(plain, new Uint8Array(0))).toMatch(/^HTTP\/1\.1 200 [^]*ok/);
  const ends = { source: { host: '192.0.2.7', port: 51_514 }, destination: { host: '192.0.2.8', port: 443 } };
  expect(await secure(announced, proxyBlock({ ends }))).toMatch(/^HTTP\/1\.1 200 /);
  expect(await secure(announced, new Uint8Array(0)).catch(() => '')).toBe('');
  expect(await egress.until((line) => line.event === 'denied')).toMatchObject({
    remote: 'local',
    code: 'PROTOCOL_ERROR',
    reason: expect.stringContaining('connections from a listener with ?accept-proxy have to begin'),
  });
  const direct = net.connect({ path: web });
  direct.write('GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
  expect(((await direct.toArray()) as Buffer[]).join('')).toMatch(/^HTTP\/1\.1 200 /);
});

test('a name of systemd that has no socket stops the start', async () => {
  await expect(
    testEgress({ listen: [{ listen: { kind: 'systemd', name: 'adit' }, spec: 'systemd:adit' }] }),
  ).rejects.toMatchObject({ code: 'ACTIVATION_INVALID' });
});

test('what comes for TLS is read by TLS alone, and behind a PROXY header handed back to it', async () => {
  const egress = await testEgress({
    listen: [{}, { acceptProxy: true as const }].map((more) => ({
      listen: { kind: 'tcp', host: '127.0.0.1', port: 0 },
      spec: '',
      ...more,
    })),
  });
  const read: number[] = [];
  const accepted = (message: unknown): void => {
    const { socket } = message as { readonly socket: net.Socket };
    const at = read.push(0) - 1;
    const push = socket.push.bind(socket);
    socket.push = (chunk: Buffer | null) => {
      read[at]! += chunk?.length ?? 0;
      return push(chunk);
    };
  };
  diagnostics.subscribe('net.server.socket', accepted);
  atEnd(() => diagnostics.unsubscribe('net.server.socket', accepted));
  const ask = async (address: string, header: Uint8Array): Promise<string> => {
    const socket = net.connect({ host: '127.0.0.1', port: Number(address.split(':')[1]) });
    socket.write(header);
    const over = tls.connect({ socket, ca: readFileSync(egress.certs.ca), servername: 'localhost' });
    over.write('GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    return ((await over.toArray()) as Buffer[]).join('');
  };
  const ends = { source: { host: '192.0.2.7', port: 51_514 }, destination: { host: '192.0.2.8', port: 443 } };
  const header = proxyBlock({ ends });

  expect(await ask(egress.server.addresses[0]!, new Uint8Array(0))).toMatch(/^HTTP\/1\.1 200 /);
  expect(await ask(egress.server.addresses[1]!, header)).toMatch(/^HTTP\/1\.1 200 /);
  expect(read).toEqual([0, expect.any(Number)]);
  expect(read[1]).toBeGreaterThanOrEqual(header.length);
});

test.each([
  ['closes without a byte', (peer: net.Socket): unknown => peer.end()],
  ['is reset', (peer: net.Socket): unknown => peer.resetAndDestroy()],
])('a connection that %s leaves its place at once', async (_how, leave) => {
  const egress = await testEgress({ maxHandshakes: 1 });
  const served = new Promise<net.Socket>((resolve) => {
    const accepted = (message: unknown): void => resolve((message as { readonly socket: net.Socket }).socket);
    diagnostics.subscribe('net.server.socket', accepted);
    atEnd(() => diagnostics.unsubscribe('net.server.socket', accepted));
  });
  const peer = net.connect({ host: '127.0.0.1', port: egress.port });
  const socket = await served;
  const closed = once(socket, 'close');
  leave(peer);
  await within(2_000, 'the close, before any deadline', closed);

  const carrier = await testCarrier(egress, egress.certs.client('alice'));
  carrier.duplex.destroy();
  expect(egress.lines.filter((line) => line['code'] === 'OVERLOAD')).toEqual([]);
});
