import { expect, test } from '@jest/globals';
import { ask, client, closedPort, echo, endingOf, service } from '../../../test/support/services.ts';
import { certificates } from '../../../test/support/certificates.ts';
import { testEgress } from '../../../test/support/in-process.ts';
import { testIngress } from '../../../test/support/in-process-ingress.ts';

test('a local connection reaches the service and ends as it ended', async () => {
  const egress = await testEgress();
  const ingress = await testIngress(egress, egress.certs.client('alice'), { to: (await echo()).at });
  expect(await ask(ingress.port, 'hello')).toBe('hello');
});

test('a refused destination is a reset locally, with the reason of the egress in the log', async () => {
  const egress = await testEgress();
  const ingress = await testIngress(egress, egress.certs.client('alice'), { to: `127.0.0.1:${await closedPort()}` });
  expect(await endingOf(ingress.port)).toBe('reset');
  expect(await ingress.until((line) => line.event === 'refused')).toMatchObject({ code: 'CONNECTION_REFUSED' });
});

test('while the egress is away a connection waits, and is then reset with what stood in the way', async () => {
  const certs = certificates();
  const ingress = await testIngress({ port: await closedPort(), certs }, certs.client('alice'), { to: '127.0.0.1:1', connectTimeoutMs: 100 });
  expect(await endingOf(ingress.port)).toBe('reset');
  expect(await ingress.until((line) => line.event === 'refused')).toMatchObject({ code: 'EGRESS_UNREACHABLE', reason: expect.stringMatching(/no session within 0.1 s: cannot reach the egress .*ECONNREFUSED/) });
});

test('a client that leaves while it waits leaves nothing behind', async () => {
  const certs = certificates();
  const ingress = await testIngress({ port: await closedPort(), certs }, certs.client('alice'), { to: '127.0.0.1:1' });
  const { socket } = await client(ingress.port);
  socket.resetAndDestroy();
  await ingress.agent.drain(new AbortController().signal);
});

test('a reset of the service is a reset of the client, and the other way round', async () => {
  const egress = await testEgress();
  const resetting = await service((socket) => { socket.once('data', () => socket.resetAndDestroy()); });
  const ingress = await testIngress(egress, egress.certs.client('alice'), { to: resetting.at });
  expect(await endingOf(ingress.port)).toBe('reset');
  const echoing = await echo();
  const other = await testIngress(egress, egress.certs.client('alice'), { to: echoing.at });
  const { socket } = await client(other.port);
  socket.once('data', () => socket.resetAndDestroy());
  socket.write('x');
  expect(await egress.recorded((record) => record.requested === echoing.at)).toMatchObject({ end: 'reset', code: 'CONNECTION_RESET' });
});
