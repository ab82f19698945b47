import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import { parseCidr } from '@adit/shared/protocol/address';
import { connectSession } from '@adit/shared/session/connect';
import { firstByteMs } from './arrivals.ts';
import { proxyBlock } from '../../../shared/src/protocol/proxy-protocol-writer.ts';
import { atEnd, eventually } from '../../../../test/support/scope.ts';
import { testCarrier, testEgress, testSession } from '../../../../test/support/in-process.ts';

test('a peer that says nothing is dropped at the handshake deadline, before and after TLS', async () => {
  const egress = await testEgress({ handshakeTimeoutMs: 2_000 });
  const silent = connect(egress.port, '127.0.0.1').resume();
  const carrier = await testCarrier(egress, egress.certs.client('alice'));
  carrier.duplex.resume();
  await Promise.all([once(silent, 'end'), once(carrier.duplex, 'end')]);
  silent.destroy();
  carrier.duplex.destroy();
  expect(await egress.until((line) => line.event === 'denied')).toMatchObject({ code: 'LINK_TIMEOUT' });
});

test('a peer that leaves in the middle of its handshake frees its place at once', async () => {
  const egress = await testEgress({ handshakeTimeoutMs: 60_000, maxHandshakes: 1 });
  const leaving = connect(egress.port, '127.0.0.1').resume();
  leaving.end();
  await once(leaving, 'close');
  await testSession(egress, egress.certs.client('alice'));
});

/** Connections that say nothing, and how many of them were cut. */
async function silent(port: number, from: string, count: number): Promise<{ readonly sockets: Socket[]; cut: number }> {
  const sockets = Array.from({ length: count }, () => connect({ port, host: '127.0.0.1', localAddress: from }));
  const group = { sockets, cut: 0 };
  for (const socket of sockets) {
    atEnd(() => socket.destroy());
    socket
      .on('error', () => {
        /* cut */
      })
      .on('close', () => group.cut++)
      .resume();
  }
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  return group;
}

test('who is over the bound displaces its own oldest, and one line counts those that were cut', async () => {
  const egress = await testEgress({ maxHandshakes: 8 });
  const honest = await silent(egress.port, '127.0.0.2', 2);
  const crowd = await silent(egress.port, '127.0.0.9', 8);
  const more = await silent(egress.port, '127.0.0.9', 8);
  await eventually('the cut', () => crowd.cut + more.cut === 10);
  expect([honest.cut, crowd.cut]).toEqual([0, 8]);
  const { level, code, reason, remote } = await egress.until((line) => line.event === 'denied');
  expect({ level, code, reason, remote }).toEqual({
    level: 'warn',
    code: 'OVERLOAD',
    reason:
      '10 connections at their handshake were cut to make room, 10 of them from 127.0.0.9: all 8 places were taken',
    remote: undefined,
  });
  await testSession(egress, egress.certs.client('alice'));
});

test('connections of a load balancer have no source until their header, and then that of the client', async () => {
  const range = parseCidr('127.0.0.5');
  const egress = await testEgress({ maxHandshakes: 12, acceptProxyProtocol: range.ok ? [range.value] : [] });
  const balanced = await silent(egress.port, '127.0.0.5', 7);
  const crowd = await silent(egress.port, '127.0.0.9', 5 + 3);
  await eventually('the cut', () => balanced.cut + crowd.cut === 3);
  expect(balanced.cut).toBe(0);

  const ends = { source: { host: '192.0.2.7', port: 51_514 }, destination: { host: '192.0.2.8', port: 443 } };
  for (const socket of balanced.sockets) socket.write(Buffer.concat([proxyBlock({ ends }), Buffer.of(0x16)]));
  await eventually('room by the client of the header', () => {
    connect({ port: egress.port, host: '127.0.0.1', localAddress: '127.0.0.2' })
      .on('error', () => {
        /* cut */
      })
      .on('connect', function (this: Socket) {
        this.destroy();
      });
    return balanced.cut > 0;
  });
});

test('a connection without a byte is cut after three seconds, and one with a byte is not', async () => {
  const egress = await testEgress({ handshakeTimeoutMs: 60_000 });
  const startedMs = performance.now();
  const [mute, spoke] = [await silent(egress.port, '127.0.0.1', 1), await silent(egress.port, '127.0.0.1', 1)];
  spoke.sockets[0]!.write(Buffer.of(0x16));
  await eventually('the cut', () => mute.cut === 1);
  expect(performance.now() - startedMs).toBeGreaterThan(firstByteMs - 100);
  expect(spoke.cut).toBe(0);
});

test('whoever has proven an identity keeps its place, however many strangers come', async () => {
  const egress = await testEgress({ maxHandshakes: 4 });
  const carrier = await testCarrier(egress, egress.certs.client('alice'));
  const strangers = await silent(egress.port, '127.0.0.1', 40);
  await eventually('the cut', () => strangers.cut >= 36);
  const { welcome } = await connectSession(carrier, { window: 262_144, agent: 'test', deadlineMs: 30_000 });
  expect(welcome).toBeDefined();
  carrier.duplex.destroy();
});

test('those of one identity who say no HELLO make room for each other', async () => {
  const egress = await testEgress({ maxHandshakes: 4 });
  const cut: number[] = [];
  for (let n = 0; n < 6; n++) {
    const { duplex } = await testCarrier(egress, egress.certs.client('alice'));
    duplex.on('close', () => cut.push(n)).resume();
    atEnd(() => duplex.destroy());
  }
  await eventually('the cut', () => cut.length === 2);
  expect(cut.toSorted((a, b) => a - b)).toEqual([0, 1]);
  expect(await egress.until((line) => line.event === 'denied')).toMatchObject({
    reason: expect.stringContaining('2 of them from spiffe://example.org/client/alice'),
  });
});
