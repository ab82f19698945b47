import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { expect, test } from '@jest/globals';
import { certificates } from '../../../../test/support/certificates.ts';
import { atEnd } from '../../../../test/support/scope.ts';
import { loadCredentials } from '../identity/credentials.ts';
import { loadTrustAnchors } from '../identity/trust.ts';
import { Deadline } from '../net/deadline.ts';
import { secure, type SecureOptions } from './secure.ts';
import { serverOptions } from './tls.ts';

const certs = certificates();

async function listening(server: net.Server): Promise<number> {
  atEnd(() => {
    server.close();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as net.AddressInfo).port;
}

function tlsServer(): tls.Server {
  const server = tls.createServer(
    serverOptions(
      loadCredentials({ cert: certs.egress.cert, key: certs.egress.key, role: 'egress' }),
      loadTrustAnchors(certs.ca),
    ),
  );
  server.on('secureConnection', (socket) => {
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  return server;
}

async function connected(port: number): Promise<net.Socket> {
  const socket = net.connect(port, '127.0.0.1').on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

function shake(to: SecureOptions['to'], changes: Partial<SecureOptions> = {}): Promise<tls.TLSSocket> {
  return secure({
    peer: 'the egress',
    to,
    serverName: '127.0.0.1',
    tls: { ca: [...loadTrustAnchors(certs.ca).pem], minVersion: 'TLSv1.3', ALPNProtocols: ['adit/1'] },
    deadline: new Deadline(30_000),
    signal: new AbortController().signal,
    ...changes,
  });
}

test('completes over a socket that is connected, and says what OpenSSL thinks of the certificate', async () => {
  const port = await listening(tlsServer());
  const socket = await shake(await connected(port));
  socket.write('x');
  expect([socket.authorized, String((await once(socket, 'data'))[0])]).toEqual([true, 'x']);
  socket.destroy();
  const stranger = await shake(await connected(port), { tls: { minVersion: 'TLSv1.3', ALPNProtocols: ['adit/1'] } });
  expect(stranger.authorized).toBe(false);
  stranger.destroy();
});

test('destroys the connection it was given when the handshake fails, and says what answered', async () => {
  const port = await listening(
    net.createServer((socket) => {
      socket.on('error', () => {});
      socket.end('SSH-2.0-x\r\n');
    }),
  );
  const over = await connected(port);
  await expect(shake(over)).rejects.toMatchObject({
    code: 'EGRESS_UNREACHABLE',
    message: expect.stringContaining('is not an Adit egress'),
  });
  if (!over.closed) await once(over, 'close');
});

test('waits no longer than it was told, and stops when told', async () => {
  const port = await listening(
    net.createServer((socket) => {
      socket.on('error', () => {});
      socket.resume();
    }),
  );
  await expect(shake(await connected(port), { deadline: new Deadline(50) })).rejects.toMatchObject({
    code: 'LINK_TIMEOUT',
  });
  await expect(shake(await connected(port), { signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'EGRESS_UNREACHABLE',
  });
});

test('what TLS has to say after the handshake is why the connection ends', async () => {
  const port = await listening(tlsServer());
  const between = net.createServer((near) => {
    const far = net.connect(port, '127.0.0.1');
    for (const socket of [near, far])
      socket
        .on('error', () => {})
        .on('close', () => {
          near.destroy();
          far.destroy();
        });
    near.pipe(far).pipe(near);
    between.once('spoil', () => near.write('no record of TLS'));
  });
  const socket = await shake(await connected(await listening(between)));
  between.emit('spoil');
  await new Promise((resolve) => {
    socket.resume().once('close', resolve);
  });
  expect(socket.errored).toMatchObject({ code: expect.stringMatching(/^ERR_SSL_/) });
});
