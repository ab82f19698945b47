import { expect, test } from '@jest/globals';
import { openTunnel } from '../support/adit.ts';
import { policyOfWeb, startBackend } from '../support/backends.ts';
import { eventually } from '../support/scope.ts';
import { ask, closedPort, endingOf } from '../support/services.ts';

test(
  'a backend is spared after three failed dials, and has its share again when it answers; when all are down each ' +
    'is tried',
  async () => {
    const ports = [await closedPort(), await closedPort()];
    const a = await startBackend('a', ports[0]!);
    const tunnel = await openTunnel({
      to: { web: 'web' },
      policy: policyOfWeb({ backends: [a.at, `127.0.0.1:${ports[1]!}`] }),
    });
    const { process: egress } = tunnel.egress;
    const port = tunnel.port('web');
    const answers = async (count: number): Promise<string> => {
      const all: string[] = [];
      for (let n = 0; n < count; n++) all.push((await ask(port, '')).charAt(0));
      return all.join('');
    };

    expect(await answers(12)).toBe('aaaaaaaaaaaa');
    await eventually('twelve access records', () => egress.all('stream').length === 12);
    expect(
      egress
        .all('stream')
        .map(({ attempts }) => attempts ?? 1)
        .filter((attempts) => attempts === 2),
    ).toHaveLength(3);
    await startBackend('b', ports[1]!);
    await egress.event('backend-up');
    expect([...(await answers(10))].sort().join('')).toBe('aaaaabbbbb');

    const lone = await openTunnel({
      to: { web: 'web' },
      policy: policyOfWeb({ backends: [`127.0.0.1:${await closedPort()}`, `127.0.0.1:${await closedPort()}`] }),
    });
    for (let n = 0; n < 4; n++) expect(await endingOf(lone.port('web'))).toBe('reset');
    expect(await lone.egress.process.event('backend-down', { up: 0 })).toMatchObject({
      msg: 'no backend is up: all are tried',
    });
    const records = lone.egress.process.all('stream');
    expect(records.at(-1)).toMatchObject({
      code: 'CONNECTION_REFUSED',
      requested: 'web',
      reason: expect.stringMatching(/ECONNREFUSED.*; tcp:.*ECONNREFUSED/),
    });
    expect(await lone.ingress.process.event('refused')).toMatchObject({
      code: 'CONNECTION_REFUSED',
      reason: 'web refused the connection.',
    });
  },
);
