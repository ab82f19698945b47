import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import tls from 'node:tls';
import { expect, test } from '@jest/globals';
import { openTunnel, type Tunnel } from '../support/adit.ts';
import { policyOfWeb } from '../support/backends.ts';
import { certificates } from '../support/certificates.ts';
import { atEnd, within } from '../support/scope.ts';
import { client, service } from '../support/services.ts';

const files = certificates();

/** TLS of our own in front of what `serve` does; `below` is the connection that TLS runs on. */
async function through(serve: (secure: tls.TLSSocket, below: Socket) => void): Promise<Tunnel> {
  const secureContext = tls.createSecureContext({ cert: files.egress.issued.certPem, key: files.egress.issued.keyPem });
  const { port } = await service((below) => {
    const secure = new tls.TLSSocket(below, {
      isServer: true,
      secureContext,
      allowHalfOpen: true,
    } as tls.TLSSocketOptions);
    secure.on('error', () => {
      /* looked for by who expects it */
    });
    serve(secure, below);
  });
  return openTunnel({
    to: { web: 'web' },
    policy: policyOfWeb({ backends: [`tls://localhost:${port}`], tls: { ca: files.ca } }),
    egress: { certificates: files },
  });
}

test('16 MiB go there and come back; the end of one direction does not end the other', async () => {
  const tunnel = await through((secure) => {
    const hash = createHash('sha256');
    const chunks: Buffer[] = [];
    secure.on('data', (chunk: Buffer) => {
      hash.update(chunk);
      chunks.push(chunk);
    });
    secure.on('end', () => {
      secure.write(Buffer.concat(chunks));
      secure.end(hash.digest());
    });
  });
  const sent = randomBytes(16 << 20);
  const { socket, received } = await client(tunnel.port('web'));

  socket.end(sent);
  const { bytes, ending } = await within(60_000, 'what came back', received);
  socket.destroy();
  expect(ending).toBe('end');
  expect(bytes.length).toBe(sent.length + 32);
  expect(bytes.subarray(0, -32).equals(sent)).toBe(true);
  expect(bytes.subarray(-32).equals(createHash('sha256').update(sent).digest())).toBe(true);
  expect(await tunnel.egress.process.event('stream')).toMatchObject({
    end: 'finished',
    bytesUp: sent.length,
    bytesDown: bytes.length,
  });
});

test('a reset of the backend is a reset at the client', async () => {
  const tunnel = await through((secure, below) => {
    secure.once('data', () => {
      below.resetAndDestroy();
    });
  });
  const { socket, received } = await client(tunnel.port('web'));

  socket.write('x');

  expect((await within(30_000, 'the reset', received)).ending).toBe('reset');
  expect(await tunnel.egress.process.event('stream')).toMatchObject({ end: 'reset' });
});

test('a reset of the client is a reset at the backend', async () => {
  let ended!: (how: string) => void;
  const how = new Promise<string>((resolve) => {
    ended = resolve;
  });
  const tunnel = await through((secure, below) => {
    secure
      .on('data', (chunk) => {
        secure.write(chunk);
      })
      .on('end', () => {
        ended('end');
      });
    below
      .on('error', (error: NodeJS.ErrnoException) => {
        ended(String(error.code));
      })
      .on('close', () => {
        ended('close');
      });
    secure.on('error', (error: NodeJS.ErrnoException) => {
      ended(String(error.code));
    });
  });
  const { socket } = await client(tunnel.port('web'));

  socket.write('x');
  await within(30_000, 'the echo', once(socket, 'data'));
  socket.resetAndDestroy();

  expect(await within(30_000, 'the reset', how)).toBe('ECONNRESET');
});

test('a backend that speaks first is heard', async () => {
  const server = tls
    .createServer({ cert: files.egress.issued.certPem, key: files.egress.issued.keyPem }, (secure) => {
      secure.on('error', () => {
        /* the client went */
      });
      secure.end('220 ready\r\n');
    })
    .listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(() => {
    server.close();
  });
  const tunnel = await openTunnel({
    to: { web: 'web' },
    policy: policyOfWeb({
      backends: [`tls://localhost:${(server.address() as AddressInfo).port}`],
      tls: { ca: files.ca },
    }),
    egress: { certificates: files },
  });
  const { socket, received } = await client(tunnel.port('web'));
  const { bytes, ending } = await within(30_000, 'the greeting', received);

  socket.destroy();

  expect([bytes.toString(), ending]).toEqual(['220 ready\r\n', 'end']);
});
