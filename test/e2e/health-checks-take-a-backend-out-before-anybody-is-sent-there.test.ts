import { expect, test } from '@jest/globals';
import { startEgress, startIngress } from '../support/adit.ts';
import { policyOfWeb, startBackend, tally } from '../support/backends.ts';
import { certificates } from '../support/certificates.ts';
import { ask, closedPort } from '../support/services.ts';

test('checks find a backend that is down from the start: nobody is sent there until `rise` of them pass', async () => {
  const files = certificates();
  const ports = [await closedPort(), await closedPort()];
  const up = await startBackend('up', ports[0]!);
  const egress = await startEgress({
    certificates: files,
    policy: policyOfWeb({
      backends: [up.at, `127.0.0.1:${ports[1]!}`],
      health: { interval: '200ms', timeout: '5s', rise: 2, fall: 2 },
    }),
  });

  expect(await egress.process.event('backend-down')).toMatchObject({
    level: 'warn',
    service: 'web',
    backend: `tcp://127.0.0.1:${ports[1]!}`,
    up: 1,
    of: 2,
    reason: expect.stringContaining('ECONNREFUSED'),
  });
  const ingress = await startIngress({ certificates: files, egressPort: egress.port, to: { web: 'web' } });
  const shares = async (): Promise<Record<string, number>> => {
    const answers: string[] = [];
    for (let n = 0; n < 10; n++) answers.push((await ask(ingress.ports['web']!, '')).split(' ')[0]!);
    return tally(answers);
  };
  expect(await shares()).toEqual({ up: 10 });
  const late = await startBackend('late', ports[1]!);
  expect(await egress.process.event('backend-up')).toMatchObject({ backend: `tcp://${late.at}`, up: 2, of: 2 });
  expect(await shares()).toEqual({ up: 5, late: 5 });
  await up.kill();
  await egress.process.event('backend-down', { backend: `tcp://${up.at}` });
  expect(await shares()).toEqual({ late: 10 });
  // No connection was sent to a backend that was known to be down.
  expect(egress.process.all('stream', ({ attempts }) => attempts !== undefined)).toEqual([]);
});
