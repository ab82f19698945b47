import { once } from 'node:events';
import type net from 'node:net';
import { readFileSync } from 'node:fs';
import tls from 'node:tls';
import { expect, test } from '@jest/globals';
import { certificates, type Certificates } from '../../../../test/support/certificates.ts';
import { atEnd } from '../../../../test/support/scope.ts';
import { loadCredentials } from '../identity/credentials.ts';
import { loadTrustAnchors } from '../identity/trust.ts';
import { Deadline } from '../net/deadline.ts';
import { dialProven, type DialProvenOptions } from './proven-tls.ts';

async function proxy(
  certs: Certificates,
  alpn: string[] | undefined,
): Promise<{ port: number; peers: tls.TLSSocket[] }> {
  const peers: tls.TLSSocket[] = [];
  const server = tls
    .createServer(
      {
        cert: readFileSync(certs.egress.cert),
        key: readFileSync(certs.egress.key),
        ca: readFileSync(certs.ca),
        requestCert: true,
        ...(alpn && { ALPNProtocols: alpn }),
      },
      (socket) => {
        socket.on('error', () => {
          /* the client may go as it likes */
        });
        peers.push(socket);
      },
    )
    .listen(0, '127.0.0.1');
  atEnd(() => {
    server.close();
    for (const peer of peers) peer.destroy();
  });
  await once(server, 'listening');
  return { port: (server.address() as net.AddressInfo).port, peers };
}

const dial = (certs: Certificates, port: number, changes: Partial<DialProvenOptions> = {}) => {
  const { cert, key } = certs.client('alice');
  return dialProven({
    host: '127.0.0.1',
    port,
    alpn: 'http/1.1',
    serverName: '127.0.0.1',
    credentials: loadCredentials({ cert, key, role: 'client' }),
    ca: loadTrustAnchors(certs.ca),
    deadline: new Deadline(15_000),
    signal: new AbortController().signal,
    ...changes,
  });
};

test.each([
  [['http/1.1'], 'http/1.1'],
  [undefined, 'http/1.1'],
  [['h2'], 'h2'],
] as const)('a proxy that offers %p is spoken to by %s', async (offered, alpn) => {
  const certs = certificates();
  const { port } = await proxy(certs, offered && [...offered]);
  const { socket, transport } = await dial(certs, port, { alpn });
  expect([socket.authorized, transport.remotePort]).toEqual([true, port]);
  socket.destroy();
});

test('one that does not speak HTTP/2 is none for it', async () => {
  const certs = certificates();
  const { port } = await proxy(certs, undefined);
  await expect(dial(certs, port, { alpn: 'h2' })).rejects.toMatchObject({
    code: 'EGRESS_UNREACHABLE',
    message: expect.stringMatching(/does not speak h2$/),
  });
});

test('one with a certificate of another CA is not trusted, and told nothing', async () => {
  const certs = certificates();
  const { port, peers } = await proxy(certificates(), ['http/1.1']);
  await expect(dial(certs, port)).rejects.toMatchObject({ code: 'EGRESS_CERT_INVALID' });
  expect(peers.reduce((sum, peer) => sum + peer.bytesRead, 0)).toBe(0);
});
