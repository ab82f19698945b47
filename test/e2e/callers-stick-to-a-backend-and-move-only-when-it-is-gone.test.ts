import { connect } from 'node:net';
import { expect, test } from '@jest/globals';
import { openTunnel, startIngress } from '../support/adit.ts';
import { policyOfWeb, startBackends } from '../support/backends.ts';
import { ask, receive } from '../support/services.ts';

const clients = Array.from({ length: 48 }, (_, at) => `127.0.0.${at + 2}`);

/** What a client at an address of its own is answered. */
async function askFrom(localAddress: string, port: number): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', localAddress, allowHalfOpen: true });
  socket.end('x');
  const { bytes, ending } = await receive(socket);
  socket.destroy();
  if (ending === 'reset') throw new Error(`${localAddress} was reset`);
  return bytes.toString().slice(0, 1);
}

test(
  'by client address: a client has the same backend every time; when that is killed only its clients move, and ' +
    'they come back',
  async () => {
    const backends = await startBackends('a', 'b', 'c');
    const tunnel = await openTunnel({
      to: { web: 'web' },
      policy: policyOfWeb({
        backends: backends.map(({ at }) => at),
        balance: 'source',
        'hash-on': 'client',
        health: { interval: '200ms', rise: 1, fall: 1 },
      }),
    });
    const places = async (): Promise<string[]> => {
      const found: string[] = [];
      for (const one of clients) found.push(await askFrom(one, tunnel.port('web')));
      return found;
    };
    const before = await places();

    for (const name of 'abc') expect(before.filter((place) => place === name).length).toBeGreaterThanOrEqual(4);
    expect(await places()).toEqual(before);
    await backends[1]!.kill();
    await tunnel.egress.process.event('backend-down');
    const without = await places();
    expect(without).not.toContain('b');
    expect(without.map((place, at) => (before[at] === 'b' ? 'b' : place))).toEqual(before);
    await backends[1]!.again();
    await tunnel.egress.process.event('backend-up');
    expect(await places()).toEqual(before);
  },
);

test('by identity: every connection of an identity reaches the same backend, wherever it comes from', async () => {
  const backends = await startBackends('a', 'b', 'c');
  const names = Array.from({ length: 6 }, (_, at) => `user-${at}`);
  const tunnel = await openTunnel({
    to: { web: 'web' },
    policy: policyOfWeb({ backends: backends.map(({ at }) => at), balance: 'source' }, ['alice', ...names]),
  });
  const used = new Set<string>();

  for (const name of names) {
    const ingress = await startIngress({
      certificates: tunnel.certificates,
      egressPort: tunnel.egress.port,
      to: { web: 'web' },
      client: tunnel.certificates.client(name),
    });
    const answers = new Set<string>();
    for (let n = 0; n < 4; n++) answers.add(await askFrom(clients[n]!, ingress.ports['web']!));
    expect(answers.size).toBe(1);
    used.add([...answers][0]!);
  }

  expect(used.size).toBeGreaterThan(1);
  expect(await ask(tunnel.port('web'), 'x')).toMatch(/^[abc] 1$/);
});
