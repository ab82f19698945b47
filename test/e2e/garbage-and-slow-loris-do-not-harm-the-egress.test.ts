import { randomBytes } from 'node:crypto';
import { type Socket, connect } from 'node:net';
import { expect, test } from '@jest/globals';
import { connectSession } from '@adit/shared/session/connect';
import { openTunnel } from '../support/adit.ts';
import { atEnd } from '../support/scope.ts';
import { shared } from '../support/shared.ts';
import { ask, echo } from '../support/services.ts';
import { tlsCarrier } from '../support/tls-carrier.ts';
import { closing, tlsTo } from '../support/wire.ts';

const setUp = shared(async () =>
  openTunnel({
    to: { echo: (await echo()).at },
    egress: { flags: ['--handshake-timeout', '2s', '--max-handshakes', '16'] },
  }),
);

function raw(port: number): Socket {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  atEnd(() => {
    socket.destroy();
  });
  return socket.on('error', () => {});
}

async function works(): Promise<void> {
  expect(await ask((await setUp()).port('echo'), 'still here')).toBe('still here');
}

test('random bytes in place of TLS end the connection', async () => {
  const { egress } = await setUp();

  for (const bytes of [
    randomBytes(1),
    randomBytes(4096),
    Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
    Buffer.from('SSH-2.0-OpenSSH_9.2\r\n'),
    Buffer.alloc(70_000, 0x16),
    Buffer.from('160301ffff', 'hex'),
  ]) {
    const socket = raw(egress.port);
    socket.write(bytes);
    await closing(socket);
  }
  await works();
});

test('silence, and one byte at a time, end at the handshake deadline', async () => {
  const { egress } = await setUp();
  const started = performance.now();
  const drip = raw(egress.port);
  const timer = setInterval(() => {
    drip.write(Buffer.of(0x16));
  }, 100);

  await Promise.all([closing(raw(egress.port)), closing(drip)]);
  clearInterval(timer);

  expect(performance.now() - started).toBeLessThan(30_000);
  await works();
});

test('silence after a good TLS handshake ends at the deadline', async () => {
  const { egress, certificates } = await setUp();
  await closing(await tlsTo(egress.port, certificates, certificates.client('alice')));
  await works();
});

test('random bytes in place of HELLO end the connection and are named in the log', async () => {
  const { egress, certificates } = await setUp();
  const alice = certificates.client('alice');

  for (const bytes of [
    randomBytes(4096),
    Buffer.alloc(1),
    Buffer.from('01ffffff00000000', 'hex'),
    Buffer.concat([Buffer.from('0100005000000000', 'hex'), randomBytes(80)]),
  ]) {
    const socket = await tlsTo(egress.port, certificates, alice);
    socket.write(bytes);
    await closing(socket);
  }
  await egress.process.event('denied', { code: 'PROTOCOL_ERROR' });
  await works();
});

test('random bytes after WELCOME end that session and no other', async () => {
  const { egress, certificates } = await setUp();
  const alice = certificates.client('alice');

  for (let round = 0; round < 10; round++) {
    const socket = await tlsTo(egress.port, certificates, alice);
    await connectSession(tlsCarrier(socket, 'egress'), { window: 262_144, agent: 'test', deadlineMs: 30_000 });
    socket.write(Buffer.concat([Buffer.of(round * 25, 0, 0, 16), randomBytes(20)]));
    socket.write(randomBytes(65_536));
    await closing(socket);
  }
  await works();
});

test('half-open handshakes over the limit are dropped, and the egress serves again when they are gone', async () => {
  const { egress, certificates } = await setUp();
  const idle = Array.from({ length: 60 }, () => raw(egress.port));

  await Promise.all(idle.map((socket) => closing(socket)));
  await egress.process.event('denied', { code: 'OVERLOAD' });
  const socket = await tlsTo(egress.port, certificates, certificates.client('alice'));
  await connectSession(tlsCarrier(socket, 'egress'), { window: 262_144, agent: 'test', deadlineMs: 30_000 });
  await works();
});
