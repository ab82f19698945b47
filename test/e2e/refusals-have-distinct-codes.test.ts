import { expect, test } from '@jest/globals';
import { openTunnel, policyOf, startIngress } from '../support/adit.ts';
import { converse } from '../support/conversation.ts';
import { closedPort, echo, endingOf } from '../support/services.ts';

test('each reason for a refusal is told apart, at both ends, and the client is reset', async () => {
  const echoes = await echo();
  const dead = await closedPort();
  const tunnel = await openTunnel({
    to: {
      denied: echoes.at,
      unknown: 'nosuchservice',
      refused: `127.0.0.1:${dead}`,
      prohibited: `localhost:${echoes.port}`,
    },
    policy: policyOf({ allow: [`127.0.0.1:${dead}`, '*:1'] }),
  });
  const cases: readonly (readonly [string, string, string])[] = [
    ['denied', 'POLICY_DENIED', 'deny'],
    ['unknown', 'UNKNOWN_SERVICE', 'deny'],
    ['refused', 'CONNECTION_REFUSED', 'allow'],
    ['prohibited', 'POLICY_DENIED', 'deny'],
  ];

  for (const [at, [name, code, verdict]] of cases.entries()) {
    expect(await endingOf(tunnel.port(name))).toBe('reset');
    expect(await tunnel.egress.process.event('stream', {}, { nth: at + 1 })).toMatchObject({
      code,
      verdict,
      end: 'refused',
      bytesDown: 0,
      identity: 'spiffe://example.org/client/alice',
    });
    expect(await tunnel.ingress.process.event('refused', {}, { nth: at + 1 })).toMatchObject({
      code,
      reason: expect.stringMatching(/\w/),
    });
  }
  expect(echoes.sockets.size).toBe(0);
});

test('more streams than an identity may have are refused with the limit, and one that ends makes room', async () => {
  const echoes = await echo();
  const tunnel = await openTunnel({ to: { echo: echoes.at }, egress: { flags: ['--max-streams-per-identity', '3'] } });
  const held = await Promise.all([1, 2, 3].map(() => converse(tunnel.port('echo'))));

  expect(await endingOf(tunnel.port('echo'))).toBe('reset');
  expect(await tunnel.ingress.process.event('refused')).toMatchObject({ code: 'LIMIT_STREAMS' });
  expect(await tunnel.egress.process.event('stream')).toMatchObject({ code: 'LIMIT_STREAMS', end: 'refused' });
  held[0]!.socket.end();
  await held[0]!.received;
  await tunnel.egress.process.event('stream', { end: 'finished' });
  await converse(tunnel.port('echo'), 'room');
});

test('more sessions than an identity may have are refused, and retried', async () => {
  const echoes = await echo();
  const first = await openTunnel({ to: { echo: echoes.at }, egress: { flags: ['--max-sessions-per-identity', '1'] } });
  const second = await startIngress({
    certificates: first.certificates,
    egressPort: first.egress.port,
    to: { echo: echoes.at },
  });

  expect(await second.process.event('retrying')).toMatchObject({ code: 'LIMIT_SESSIONS' });
});

test('an idle stream is reset after --idle-timeout, and its record says so', async () => {
  const echoes = await echo();
  const tunnel = await openTunnel({
    to: { echo: echoes.at },
    policy: policyOf({ allow: ['127.0.0.1:*'] }),
    egress: { flags: ['--idle-timeout', '2s'] },
  });
  const idle = await converse(tunnel.port('echo'));

  expect((await idle.received).ending).toBe('reset');
  expect(await tunnel.egress.process.event('stream')).toMatchObject({
    code: 'IDLE_TIMEOUT',
    end: expect.stringMatching(/reset|cut/),
  });
});
