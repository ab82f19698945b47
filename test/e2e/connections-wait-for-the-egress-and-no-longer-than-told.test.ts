import { expect, test } from '@jest/globals';
import { startEgress, startIngress } from '../support/adit.ts';
import { certificates } from '../support/certificates.ts';
import { ask, closedPort, echo, endingOf } from '../support/services.ts';

test('the ingress listens before the egress runs, and a connection made then is served', async () => {
  const files = certificates();
  const echoes = await echo();
  const egressPort = await closedPort();
  const ingress = await startIngress({
    certificates: files,
    egressPort,
    to: { echo: echoes.at },
    flags: ['--connect-timeout', '60s'],
  });

  await ingress.process.event('retrying', { code: 'EGRESS_UNREACHABLE' });
  const answer = ask(ingress.ports['echo']!, 'early');
  await startEgress({ certificates: files, port: egressPort });
  expect(await answer).toBe('early');
});

test('after --connect-timeout it is reset, and the log says why', async () => {
  const files = certificates();
  const ingress = await startIngress({
    certificates: files,
    egressPort: await closedPort(),
    to: { it: '127.0.0.1:1' },
    flags: ['--connect-timeout', '300ms'],
  });

  await ingress.process.event('retrying', { code: 'EGRESS_UNREACHABLE' });

  expect(await endingOf(ingress.ports['it']!)).toBe('reset');
  expect(await ingress.process.event('refused')).toMatchObject({
    code: 'EGRESS_UNREACHABLE',
    reason: expect.stringContaining('0.3 s'),
  });
});
