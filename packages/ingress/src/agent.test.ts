import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { day } from '../../../test/support/issuer.ts';
import { ask, chunkFrom, client, closedPort, echo } from '../../../test/support/services.ts';
import { certificates } from '../../../test/support/certificates.ts';
import { testEgress } from '../../../test/support/in-process.ts';
import { testIngress } from '../../../test/support/in-process-ingress.ts';
import { temporaryFolder, within } from '../../../test/support/scope.ts';

test('a unix socket is a listener like any other', async () => {
  const egress = await testEgress();
  const path = join(temporaryFolder(), 'db.sock');
  const ingress = await testIngress(egress, egress.certs.client('alice'), {
    to: '127.0.0.1:1',
    forwards: [
      {
        listen: { kind: 'unix', path },
        destination: { kind: 'host', host: '127.0.0.1', port: (await echo()).port },
        spec: path,
      },
    ],
  });
  expect(ingress.agent.addresses).toEqual([path]);
  const { connect } = await import('node:net');
  const socket = connect(path);
  socket.write('over unix');
  expect(String(await chunkFrom(socket))).toBe('over unix');
  socket.destroy();
});

test('a bad certificate on reload keeps the old one and says so', async () => {
  const egress = await testEgress();
  const alice = egress.certs.client('alice');
  const ingress = await testIngress(egress, alice, { to: (await echo()).at });
  await ingress.until((line) => line.event === 'connected');
  writeFileSync(alice.cert, 'not a certificate');
  expect(await ingress.until((line) => line.event === 'reload-failed')).toMatchObject({ code: 'CREDENTIALS_UNUSABLE' });
  expect(await ask(ingress.port, 'still')).toBe('still');
});

test('a certificate that changes while the ingress begins to listen is loaded', async () => {
  const egress = await testEgress();
  const starting = testIngress(egress, egress.certs.client('alice'), { to: '127.0.0.1:1' });
  egress.certs.client('alice');
  await (await starting).until((line) => line.event === 'reloaded');
});

test('a drain waits for connections that are open, and resets them when its time is up', async () => {
  const egress = await testEgress();
  const ingress = await testIngress(egress, egress.certs.client('alice'), {
    to: (await echo()).at,
    drainTimeoutMs: 200,
  });
  const { socket, received } = await client(ingress.port);
  socket.write('x');
  await chunkFrom(socket);
  await ingress.agent.drain(new AbortController().signal);
  expect((await within(30_000, 'the reset', received)).ending).toBe('reset');
  expect(await ingress.running).toBeUndefined();
});

test('a connection that still waits for the egress when the ingress stops is reset', async () => {
  const certs = certificates();
  const ingress = await testIngress({ port: await closedPort(), certs }, certs.client('alice'), { to: '127.0.0.1:1' });
  const { received } = await client(ingress.port);
  const later = await client(ingress.port);
  later.received.catch(() => {});
  later.socket.resetAndDestroy();
  await ingress.until((line) => line.event === 'connection'); // the later one is gone, so the first one was accepted
  await ingress.agent.drain(AbortSignal.abort());
  expect((await within(30_000, 'the end', received)).ending).toBe('reset');
  expect(await ingress.until((line) => line.event === 'refused')).toMatchObject({ code: 'DRAINING' });
});

test('two listeners on one address: the second says that the first is there', async () => {
  const egress = await testEgress();
  const first = await testIngress(egress, egress.certs.client('alice'), { to: '127.0.0.1:1' });
  const listen = { kind: 'tcp', host: '127.0.0.1', port: first.port } as const;
  await expect(
    testIngress(egress, egress.certs.client('alice'), {
      to: '127.0.0.1:1',
      forwards: [{ listen, destination: { kind: 'service', service: 'web' }, spec: 'x' }],
    }),
  ).rejects.toMatchObject({ code: 'LISTEN_FAILED' });
});

test('a renewed certificate is shown to the egress at once, on a fresh carrier, and nothing is lost', async () => {
  const egress = await testEgress();
  const alice = egress.certs.client('alice');
  const ingress = await testIngress(egress, alice, { to: (await echo()).at });
  const { socket } = await client(ingress.port);
  socket.write('before');
  await chunkFrom(socket);
  egress.certs.client('alice');
  await egress.until((line) => line.event === 'connected' && line['resumed'] === true);
  socket.write('after');
  expect(String(await chunkFrom(socket))).toBe('after');
  socket.destroy();
});

test('a certificate that ends soon is said at the start and after each reload', async () => {
  const egress = await testEgress();
  const pair = egress.certs.client('alice', {
    from: new Date(Date.now() - 90 * day),
    to: new Date(Date.now() + 10 * day),
  });
  const ingress = await testIngress(egress, pair, { to: '127.0.0.1:1' });
  expect(ingress.lines.filter(({ event }) => event === 'expiring')).toMatchObject([
    { level: 'warn', what: 'certificate', hoursLeft: 239 },
  ]);
  ingress.agent.reload('a test');
  expect(ingress.lines.filter(({ event }) => event === 'expiring')).toHaveLength(2);
});

test('a reload says what it reloaded and nothing else; what is unusable hinders no other file', async () => {
  const egress = await testEgress();
  const alice = egress.certs.client('alice');
  const users = `${egress.certs.folder}/users`;
  writeFileSync(users, 'bob:secret\n', { mode: 0o600 });
  const ingress = await testIngress(egress, alice, { to: '127.0.0.1:1', socksAuthFile: users });
  const reloads = (): unknown[] =>
    ingress.lines.filter(({ event }) => event.startsWith('reload')).map(({ event, what }) => [event, what]);
  writeFileSync(users, 'carol:secret\n');
  await ingress.until(({ event }) => event === 'reloaded');
  expect(reloads()).toEqual([['reloaded', 'users']]);
  writeFileSync(alice.cert, 'nonsense');
  expect(await ingress.until(({ event }) => event === 'reload-failed')).toMatchObject({
    advice: expect.stringContaining('--cert'),
  });
  ingress.agent.reload('a test');
  expect(reloads().slice(2)).toEqual([
    ['reload-failed', 'certificates'],
    ['reloaded', 'users'],
  ]);
});
