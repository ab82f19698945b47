import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';
import { expect, test } from '@jest/globals';
import { certificates, type Certificates } from '../../../../test/support/certificates.ts';
import { newServer } from '../../../../test/support/issuer.ts';
import { atEnd } from '../../../../test/support/scope.ts';
import { smallProxy } from '../../../../test/support/small-proxy.ts';
import { tlsCarrier } from '../../../../test/support/tls-carrier.ts';
import { loadCredentials } from '../identity/credentials.ts';
import { loadTrustAnchors } from '../identity/trust.ts';
import { dialTls, serverOptions, type DialTlsOptions } from './tls.ts';

async function listening(server: net.Server): Promise<number> {
  atEnd(() => {
    server.close();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as net.AddressInfo).port;
}

function egress(certs: Certificates, changes: tls.TlsOptions = {}): tls.Server {
  const server = tls.createServer({
    ...serverOptions(
      loadCredentials({ cert: certs.egress.cert, key: certs.egress.key, role: 'egress' }),
      loadTrustAnchors(certs.ca),
    ),
    ...changes,
  });
  server.on('secureConnection', (socket) => {
    socket.on('error', () => {});
    socket.on('end', () => {
      socket.end();
    });
    socket.resume();
  });
  return server;
}

function dial(port: number, certs: Certificates, changes: Partial<DialTlsOptions> = {}): ReturnType<typeof dialTls> {
  const { cert, key } = certs.client('alice');
  return dialTls({
    host: '127.0.0.1',
    port,
    serverName: '127.0.0.1',
    credentials: loadCredentials({ cert, key, role: 'client' }),
    ca: loadTrustAnchors(certs.ca),
    deadlineMs: 30_000,
    signal: new AbortController().signal,
    ...changes,
  });
}

test('a TLS 1.3 connection with both certificates, from which both ends export the same', async () => {
  const certs = certificates();
  const server = egress(certs);
  const port = await listening(server);
  const [carrier, [socket]] = await Promise.all([
    dial(port, certs),
    once(server, 'secureConnection') as Promise<[tls.TLSSocket]>,
  ]);
  expect([carrier.kind, carrier.remote, socket.getProtocol(), socket.authorized, socket.alpnProtocol]).toEqual([
    'tls',
    `127.0.0.1:${port}`,
    'TLSv1.3',
    true,
    'adit/1',
  ]);
  expect(
    carrier
      .exportKey('EXPORTER-x', Buffer.alloc(3))
      .equals(tlsCarrier(socket, '').exportKey('EXPORTER-x', Buffer.alloc(3))),
  ).toBe(true);
  carrier.duplex.destroy();
});

test('a carrier that died while it waited to be used says so, as a loss of the link', async () => {
  const certs = certificates();
  const carrier = await dial(await listening(egress(certs)), certs);
  carrier.duplex.destroy();
  expect(() => carrier.exportKey('EXPORTER-x', Buffer.alloc(0))).toThrow(
    expect.objectContaining({ code: 'LINK_LOST' }),
  );
});

test('no session is resumed past the check of its certificate, whatever the client brings back', async () => {
  const certs = certificates();
  const port = await listening(egress(certs));
  const carrier = await dial(port, certs);
  const tickets: Buffer[] = [];
  carrier.duplex.on('session', (ticket: Buffer) => tickets.push(ticket));
  carrier.duplex.resume().end();
  await once(carrier.duplex, 'close');
  for (const session of tickets) {
    const again = tls.connect({
      host: '127.0.0.1',
      port,
      ca: readFileSync(certs.ca),
      minVersion: 'TLSv1.3',
      ALPNProtocols: ['adit/1'],
      session,
    });
    again.on('error', () => {});
    await once(again, 'secureConnect');
    expect(again.isSessionReused()).toBe(false);
    again.destroy();
  }
});

test.each([
  ['of another CA', () => ({ ca: loadTrustAnchors(certificates().ca) }), 'EGRESS_CERT_INVALID', /not trusted/],
  [
    'for another name',
    () => ({ serverName: 'elsewhere.example.org' }),
    'EGRESS_CERT_INVALID',
    /not for "elsewhere.example.org"/,
  ],
] as const)(
  'an egress with a certificate %s is refused, and the reason says so',
  async (_what, changes, code, reason) => {
    const certs = certificates();
    await expect(dial(await listening(egress(certs)), certs, changes())).rejects.toMatchObject({
      code,
      message: expect.stringMatching(reason),
    });
  },
);

test('a client certificate does not make an egress', async () => {
  const certs = certificates();
  const client = certs.write('client', newServer(certs.authority, { uses: ['1.3.6.1.5.5.7.3.2'] }));
  const server = egress(certs, { cert: readFileSync(client.cert), key: readFileSync(client.key) });
  await expect(dial(await listening(server), certs)).rejects.toMatchObject({ code: 'EGRESS_CERT_INVALID' });
});

test('what is not an egress is said to be none', async () => {
  const certs = certificates();
  const web = egress(certs, { ALPNProtocols: ['http/1.1'] });
  await expect(dial(await listening(web), certs)).rejects.toMatchObject({
    code: 'EGRESS_UNREACHABLE',
    message: expect.stringContaining('is not an Adit egress'),
  });
  const ssh = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.end('SSH-2.0-x\r\n');
  });
  await expect(dial(await listening(ssh), certs)).rejects.toMatchObject({
    code: 'EGRESS_UNREACHABLE',
    message: expect.stringContaining('is not an Adit egress'),
  });
});

test('nobody there, nobody answering, and nobody waiting any more', async () => {
  const certs = certificates();
  const silent = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.resume();
  });
  const port = await listening(silent);
  await expect(dial(port, certs, { deadlineMs: 50 })).rejects.toMatchObject({ code: 'LINK_TIMEOUT' });
  const stop = new AbortController();
  const dialling = dial(port, certs, { signal: stop.signal });
  stop.abort();
  await expect(dialling).rejects.toMatchObject({ code: 'EGRESS_UNREACHABLE' });
  silent.close();
  await expect(dial(1, certs)).rejects.toMatchObject({
    code: 'EGRESS_UNREACHABLE',
    message: expect.stringContaining('ECONNREFUSED'),
  });
});

test('what breaks behind a proxy that said yes names both', async () => {
  const proxy = await smallProxy({ answers: ['HTTP/1.1 200 OK\r\n\r\n'], end: true });
  await expect(
    dial(8443, certificates(), {
      host: 'tunnel.example.org',
      proxy: { scheme: 'http', host: '127.0.0.1', port: proxy.port },
    }),
  ).rejects.toMatchObject({
    code: 'EGRESS_UNREACHABLE',
    message: expect.stringContaining(
      `the egress tunnel.example.org:8443 through the proxy http://127.0.0.1:${proxy.port}`,
    ),
  });
});
