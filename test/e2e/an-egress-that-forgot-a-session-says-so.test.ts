import { expect, test } from '@jest/globals';
import { openTunnel, startEgress, startIngress } from '../support/adit.ts';
import { certificates } from '../support/certificates.ts';
import { chaos } from '../support/chaos.ts';
import { within } from '../support/scope.ts';
import { type Client, ask, chunkFrom, client, closedPort, echo } from '../support/services.ts';

async function talk(port: number): Promise<Client> {
  const open = await client(port);
  open.socket.write('hello');
  expect(String(await chunkFrom(open.socket))).toBe('hello');
  return open;
}

test('after a restart of the egress open connections are reset with NOT_RESUMABLE, and a new session serves', async () => {
  const echoes = await echo();
  const tunnel = await openTunnel({
    to: { echo: echoes.at },
    egress: { port: await closedPort() },
    ingress: { flags: ['--connect-timeout', '60s'] },
  });
  const open = await talk(tunnel.port('echo'));
  await tunnel.egress.process.kill();
  const reborn = await startEgress({ certificates: tunnel.certificates, port: tunnel.egress.port });
  expect((await within(30_000, 'the reset', open.received)).ending).toBe('reset');
  expect(await tunnel.ingress.process.event('disconnected')).toMatchObject({ code: 'NOT_RESUMABLE', streams: 1 });
  expect(await reborn.process.event('denied')).toMatchObject({ code: 'NOT_RESUMABLE', reason: 'no such session' });
  expect(await ask(tunnel.port('echo'), 'after')).toBe('after');
  await tunnel.ingress.process.event('connected', {}, { nth: 2 });
  expect(tunnel.ingress.process.all('connected').map(({ resumed }) => resumed)).toEqual([false, false]);
});
test('past the resume window both halves give the session up at the same time, each on its own, and a new one serves', async () => {
  const files = certificates();
  const echoes = await echo();
  const egress = await startEgress({ certificates: files, flags: ['--resume-window', '2s'] });
  const network = await chaos(egress.port);
  const ingress = await startIngress({
    certificates: files,
    egressPort: network.port,
    to: { echo: echoes.at },
    flags: ['--connect-timeout', '60s'],
  });
  const open = await talk(ingress.ports['echo']!);
  network.stall('all');
  network.cut();
  const startedMs = performance.now();
  expect(await egress.process.event('stream')).toMatchObject({ end: 'lost', code: 'RESUME_EXPIRED' });
  expect(performance.now() - startedMs).toBeGreaterThan(1_800);
  expect(performance.now() - startedMs).toBeLessThan(30_000);
  await echoes.idle();
  network.cut(); // the attempt that hangs in the silence
  expect((await within(30_000, 'the reset', open.received)).ending).toBe('reset');
  expect(await ingress.process.event('disconnected')).toMatchObject({ code: 'RESUME_EXPIRED', streams: 1 });
  network.flow();
  expect(await ask(ingress.ports['echo']!, 'after')).toBe('after');
  await ingress.process.event('connected', { resumed: false }, { nth: 2 });
});
test('with resumption turned off a lost connection resets what was open at once', async () => {
  const files = certificates();
  const echoes = await echo();
  const egress = await startEgress({ certificates: files, flags: ['--resume-window', '0'] });
  const network = await chaos(egress.port);
  const ingress = await startIngress({
    certificates: files,
    egressPort: network.port,
    to: { echo: echoes.at },
    flags: ['--connect-timeout', '60s'],
  });
  const open = await talk(ingress.ports['echo']!);
  network.cut();
  expect((await within(30_000, 'the reset', open.received)).ending).toBe('reset');
  expect(await egress.process.event('stream')).toMatchObject({ end: 'lost', code: 'LINK_LOST' });
  await echoes.idle();
  expect(await ask(ingress.ports['echo']!, 'after')).toBe('after');
});
