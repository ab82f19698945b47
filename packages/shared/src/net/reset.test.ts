import { once } from 'node:events';
import net from 'node:net';
import { readFileSync } from 'node:fs';
import tls from 'node:tls';
import { expect, test } from '@jest/globals';
import { certificates } from '../../../../test/support/certificates.ts';
import { atEnd, within } from '../../../../test/support/scope.ts';
import { resetTls } from './reset.ts';

/** A TLS connection: ours with the TCP socket below it, and the peer's. */
async function pair(): Promise<{
  ours: tls.TLSSocket;
  transport: net.Socket;
  peer: tls.TLSSocket;
  ending: Promise<string>;
}> {
  const { egress, ca } = certificates();
  const secure = tls.createServer({
    cert: readFileSync(egress.cert),
    key: readFileSync(egress.key),
    minVersion: 'TLSv1.3',
  });
  const server = net
    .createServer({ allowHalfOpen: true }, (socket) => {
      secure.emit('connection', socket);
    })
    .listen(0, '127.0.0.1');
  atEnd(() => {
    server.close();
  });
  await once(server, 'listening');
  const transports = once(server, 'connection') as Promise<[net.Socket]>;
  const accepted = once(secure, 'secureConnection') as Promise<[tls.TLSSocket]>;
  const halfOpen = { allowHalfOpen: true };
  const peer = tls.connect({
    host: '127.0.0.1',
    port: (server.address() as net.AddressInfo).port,
    ca: readFileSync(ca),
    ...halfOpen,
  });
  const ending = new Promise<string>((resolve) => {
    peer.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? '')).on('close', () => resolve('closed'));
  });
  const [[transport], [ours]] = await Promise.all([transports, accepted]);
  for (const socket of [transport, ours])
    socket.on('error', () => {
      /* its close counts */
    });
  ours.allowHalfOpen = true;
  return { ours, transport, peer, ending };
}

test('the peer sees a reset, and both sockets are gone', async () => {
  const { ours, transport, ending } = await pair();
  const closed = Promise.all([once(ours, 'close'), once(transport, 'close')]);
  resetTls(ours, transport);
  expect(await within(15_000, 'the reset', ending)).toBe('ECONNRESET');
  await within(15_000, 'the close', closed);
});

test('a connection whose half just ended behind unsent bytes is reset', async () => {
  const { ours, transport, peer, ending } = await pair();
  ours.write(Buffer.alloc(5_000_000));
  ours.end();
  resetTls(ours, transport);
  peer.resume();
  expect(await within(15_000, 'the reset', ending)).toBe('ECONNRESET');
  if (!ours.closed) await within(15_000, 'the close', once(ours, 'close'));
});

test('a connection whose end is told already is reset for what the peer still says', async () => {
  const { ours, transport, peer, ending } = await pair();
  ours.end();
  resetTls(ours, transport);
  await within(15_000, 'the end', once(peer.resume(), 'end'));
  peer.write(Buffer.alloc(1_000_000));
  expect(await within(15_000, 'the reset', ending)).toMatch(/ECONNRESET|EPIPE/);
  if (!ours.closed) await within(15_000, 'the close', once(ours, 'close'));
});

test('one that is gone already stays gone', async () => {
  const { ours, transport, peer } = await pair();
  peer.destroy();
  transport.destroy();
  await once(transport, 'close');
  const closed: Promise<unknown> = ours.closed ? Promise.resolve() : once(ours, 'close');
  resetTls(ours, transport);
  await within(15_000, 'the close', closed);
});
