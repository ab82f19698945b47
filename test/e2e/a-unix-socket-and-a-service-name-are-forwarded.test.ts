import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { openTunnel } from '../support/adit.ts';
import { temporaryFolder } from '../support/scope.ts';
import { ask, echo, receive } from '../support/services.ts';

test('bytes go through a Unix socket of mode 0600, through a named service, and over IPv6 loopback', async () => {
  const echoes = await echo();
  const path = join(temporaryFolder(), 'docker.sock');
  const tunnel = await openTunnel({
    to: { web: 'web' },
    policy: JSON.stringify({
      version: 1,
      services: { web: `tcp://${echoes.at}` },
      rules: [{ name: 'r', identities: ['alice'], allow: ['web', echoes.at] }],
    }),
    ingress: { flags: ['-L', `${path}:${echoes.at}`, '-L', `[::1]:0:${echoes.at}`] },
  });

  expect(await ask(tunnel.port('web'), 'by its name')).toBe('by its name');
  expect(await tunnel.egress.process.event('stream')).toMatchObject({
    requested: 'web',
    resolved: expect.stringContaining('127.0.0.1'),
  });
  const listening = await tunnel.ingress.process.event('listening', { address: path });
  expect(listening).toBeDefined();
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const unix = connect({ path, allowHalfOpen: true });
  unix.end('by its path');
  expect(await receive(unix)).toEqual({ bytes: Buffer.from('by its path'), ending: 'end' });
  const { address } = await tunnel.ingress.process.event('listening', { address: /^\[::1\]/ });
  const six = connect({ host: '::1', port: Number(String(address).split(']:')[1]), allowHalfOpen: true });
  await once(six, 'connect');
  six.end('by IPv6');
  expect(String((await receive(six)).bytes)).toBe('by IPv6');
  await tunnel.ingress.process.stop();
  expect(existsSync(path)).toBe(false);
});
