import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type net from 'node:net';
import tls from 'node:tls';
import { expect, test } from '@jest/globals';
import { startEgress, startIngress } from '../support/adit.ts';
import { certificates, type Certificates } from '../support/certificates.ts';
import { newCa, newServer } from '../support/issuer.ts';
import { atEnd } from '../support/scope.ts';
import { ask, chunkFrom, client, echo } from '../support/services.ts';

interface Inspector {
  readonly port: number;
  readonly ca: string;
  readonly seen: () => Buffer;
  cut(): void;
}

/**
 * Ends TLS with a certificate of its own CA, reads everything, and makes TLS again to the egress; it has no certificate
 * of a client.
 */
async function inspector(files: Certificates, egressPort: number): Promise<Inspector> {
  const authority = newCa('Example Corp TLS Inspection');
  const shown = files.write('shown', newServer(authority));
  const seen: Buffer[] = [];
  const open = new Set<net.Socket>();
  const server = tls.createServer({ cert: readFileSync(shown.cert), key: readFileSync(shown.key) }, (near) => {
    const far = tls.connect({
      host: '127.0.0.1',
      port: egressPort,
      ca: readFileSync(files.ca),
      ALPNProtocols: ['http/1.1'],
    });
    for (const socket of [near, far])
      socket
        .on('error', () => {
          /* its close ends the other */
        })
        .on('data', (chunk: Buffer) => seen.push(chunk));
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
    near.pipe(far);
    far.pipe(near);
  });
  server.on('connection', (socket: net.Socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  atEnd(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  await once(server, 'listening');
  return {
    port: (server.address() as net.AddressInfo).port,
    ca: files.write('inspection-ca', authority).cert,
    seen: () => Buffer.concat(seen),
    cut: () => {
      for (const socket of open) socket.resetAndDestroy();
    },
  };
}

test(
  'the ingress passes it by the TLS inside a WebSocket, says whose certificate it saw, and the box reads no byte ' +
    'of the stream',
  async () => {
    const files = certificates();
    const echoes = await echo();
    const egress = await startEgress({ certificates: files });
    const box = await inspector(files, egress.port);
    const ingress = await startIngress({
      certificates: files,
      egressPort: box.port,
      to: { echo: echoes.at },
      flags: ['--outer-ca', box.ca, '--ws-path', '/.well-known/adit'],
    });

    await ingress.process.event('intercepted', { issuer: 'CN=Example Corp TLS Inspection' });
    await ingress.process.event('connected', {
      carrier: 'websocket+tls',
      intermediary: 'CN=Example Corp TLS Inspection',
    });
    await egress.process.event('connected', {
      carrier: 'websocket+tls',
      identity: 'spiffe://example.org/client/alice',
    });
    const secret = 'the secret that nobody may read';
    const { socket } = await client(ingress.ports['echo']!);
    socket.write(secret);
    expect(String(await chunkFrom(socket))).toBe(secret);
    box.cut();
    await ingress.process.event('connected', { resumed: true, carrier: 'websocket+tls' });
    socket.write('after');
    expect(String(await chunkFrom(socket))).toBe('after');
    expect(await ask(ingress.ports['echo']!, secret)).toBe(secret);
    const seen = box.seen();
    expect([
      seen.length > 2_000,
      seen.includes('GET /.well-known/adit HTTP/1.1'),
      seen.includes(secret),
      seen.includes('alice'),
    ]).toEqual([true, true, false, false]);
  },
);

test('where its CA is not trusted there is no session, and the reason names it', async () => {
  const files = certificates();
  const egress = await startEgress({ certificates: files });
  const box = await inspector(files, egress.port);
  const ingress = await startIngress({ certificates: files, egressPort: box.port, to: { echo: '127.0.0.1:9' } });

  await ingress.process.event('retrying', {
    code: 'EGRESS_CERT_INVALID',
    reason: /issued by CN=Example Corp TLS Inspection: that is not our CA/,
  });

  expect([ingress.process.all('connected'), egress.process.all('connected')]).toEqual([[], []]);
});
