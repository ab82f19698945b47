import { expect, test } from '@jest/globals';
import { connectHttp1, connectHttp2, http2Connection, type Tunnel } from '../../../../test/support/connect-client.ts';
import type { KeyPair } from '../../../../test/support/certificates.ts';
import { allowLoopback, testEgress, testSession, type TestEgress } from '../../../../test/support/in-process.ts';
import { echo } from '../../../../test/support/services.ts';

const overHttp2 = async (egress: TestEgress, pair: KeyPair | undefined, target: string): Promise<Tunnel> =>
  connectHttp2(await http2Connection(egress, pair), target);

test.each([
  ['a session', (egress: TestEgress, pair: KeyPair) => testSession(egress, pair).catch(() => undefined)],
  ['CONNECT of HTTP/1.1', (egress: TestEgress, pair: KeyPair) => connectHttp1(egress, pair, '127.0.0.1:1')],
  ['CONNECT of HTTP/2', (egress: TestEgress, pair: KeyPair) => overHttp2(egress, pair, '127.0.0.1:1')],
])('whoever is refused by %s is logged alike: once, with address, identity, code and reason', async (_way, ask) => {
  const egress = await testEgress({ policy: allowLoopback.replace('"*"', 'bob') });
  await ask(egress, egress.certs.client('alice'));
  expect(egress.lines.filter(({ event }) => event === 'denied')).toEqual([
    {
      level: 'warn',
      time: expect.any(String),
      name: 'test',
      event: 'denied',
      remote: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      identity: 'spiffe://example.org/client/alice',
      code: 'IDENTITY_NOT_IN_POLICY',
      reason: 'no rule names spiffe://example.org/client/alice or its groups',
      msg: 'refused',
    },
  ]);
});

test.each([
  ['HTTP/1.1', connectHttp1],
  ['HTTP/2', overHttp2],
])('a caller that is admitted over %s no longer counts among the handshakes', async (_way, ask) => {
  const egress = await testEgress({ maxHandshakes: 1 });
  const to = await echo();
  const alice = egress.certs.client('alice');
  const tunnels = [await ask(egress, alice, to.at), await ask(egress, alice, to.at)];
  expect(tunnels.map(({ status }) => status)).toEqual([200, 200]);
});
