import { expect, test } from '@jest/globals';
import { openTunnel, startEgress } from '../support/adit.ts';
import { converse } from '../support/conversation.ts';
import { openCuttableTunnel } from '../support/cuttable-tunnel.ts';
import { within } from '../support/scope.ts';
import { ask, closedPort, echo } from '../support/services.ts';

const patient = { flags: ['--connect-timeout', '60s'] };

test('an egress that restarted resets open connections with NOT_RESUMABLE, and serves a new session', async () => {
  const echoes = await echo();
  const tunnel = await openTunnel({
    to: { echo: echoes.at },
    egress: { port: await closedPort() },
    ingress: patient,
  });
  const open = await converse(tunnel.port('echo'));

  await tunnel.egress.process.kill();
  const reborn = await startEgress({ certificates: tunnel.certificates, port: tunnel.egress.port });
  expect((await within(30_000, 'the reset', open.received)).ending).toBe('reset');
  expect(await tunnel.ingress.process.event('disconnected')).toMatchObject({ code: 'NOT_RESUMABLE', streams: 1 });
  expect(await reborn.process.event('denied')).toMatchObject({ code: 'NOT_RESUMABLE', reason: 'no such session' });
  expect(await ask(tunnel.port('echo'), 'after')).toBe('after');
  await tunnel.ingress.process.event('connected', {}, { nth: 2 });
  expect(tunnel.ingress.process.all('connected').map(({ resumed }) => resumed)).toEqual([false, false]);
});

test('both halves give a session up at the end of its resume window, each on its own; a new one serves', async () => {
  const echoes = await echo();
  const { egress, ingress, network, port } = await openCuttableTunnel({
    to: { echo: echoes.at },
    egress: { flags: ['--resume-window', '2s'] },
    ingress: patient,
  });
  const open = await converse(port('echo'));

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
  expect(await ask(port('echo'), 'after')).toBe('after');
  await ingress.process.event('connected', { resumed: false }, { nth: 2 });
});

test('with resumption turned off a lost connection resets what was open at once', async () => {
  const echoes = await echo();
  const { egress, network, port } = await openCuttableTunnel({
    to: { echo: echoes.at },
    egress: { flags: ['--resume-window', '0'] },
    ingress: patient,
  });
  const open = await converse(port('echo'));

  network.cut();

  expect((await within(30_000, 'the reset', open.received)).ending).toBe('reset');
  expect(await egress.process.event('stream')).toMatchObject({ end: 'lost', code: 'LINK_LOST' });
  await echoes.idle();
  expect(await ask(port('echo'), 'after')).toBe('after');
});
