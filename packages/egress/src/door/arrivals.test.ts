import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from '@jest/globals';
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

test('more handshakes than allowed are dropped, and counted in the log', async () => {
  const egress = await testEgress({ maxHandshakes: 2 });
  const sockets = [1, 2, 3].map(() => connect(egress.port, '127.0.0.1'));
  for (const socket of sockets)
    socket.on('error', () => {
      /* dropped */
    });
  await once(sockets[2]!, 'close');
  expect(await egress.until((line) => line.event === 'denied')).toMatchObject({ code: 'OVERLOAD' });
  for (const socket of sockets) socket.destroy();
});
