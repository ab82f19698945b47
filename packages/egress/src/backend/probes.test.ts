import { afterEach, describe, expect, it, test } from '@jest/globals';
import { AditError, type Code } from '@adit/shared/errors';
import { serviceOf, type ServiceText } from '../../../../test/support/pool-services.ts';
import { within } from '../../../../test/support/scope.ts';
import type { Service } from '../policy/service.ts';
import { Probes, countsAgainst, whyOf, type Probe } from './probes.ts';
import { Pool } from './pool.ts';

const a = 'tcp://a:1';
const undo: (() => void)[] = [];
afterEach(() => {
  for (const one of undo.splice(0)) one();
});

/** Probes of a pool that end as `answers` says, with the changes of health, and a wait until something holds. */
function probing(service: Service, answers: (backend: string, nth: number) => Code | 'up' | 'broken' | undefined) {
  const changes: string[] = [];
  const probed: string[] = [];
  const waiting = new Set<() => void>();
  const wake = (): void => {
    for (const one of waiting) one();
  };
  const pool = new Pool(service, ({ backend, isUp }) => {
    changes.push(`${backend} ${isUp ? 'up' : 'down'}`);
    wake();
  });
  const under = new Map<string, number>();
  const probe: Probe = async ({ name }, { signal }) => {
    probed.push(name);
    under.set(name, (under.get(name) ?? 0) + 1);
    expect(under.get(name)).toBe(1);
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    under.set(name, 0);
    wake();
    const answer = answers(name, probed.filter((one) => one === name).length);
    if (answer === undefined)
      await new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          reject(new AditError('PEER_GONE', 'stopped'));
        });
      });
    else if (answer !== 'up' && answer !== 'broken') throw new AditError(answer, answer);
  };
  const probes = new Probes({ pool, probe, random: () => 0 });
  undo.push(() => probes.stop());
  const until = (holds: () => boolean): Promise<void> =>
    within(
      30_000,
      'what was waited for',
      new Promise((resolve) => {
        const one = (): void => {
          if (holds()) {
            waiting.delete(one);
            resolve();
          }
        };
        waiting.add(one);
        one();
      }),
      () => `${changes.join(', ')}; ${probed.length} probes`,
    );
  return { probes, pool, changes, probed, until };
}

const fast = (written: ServiceText): Service => ({
  ...serviceOf(written),
  health: { intervalMs: 2, timeoutMs: 1_000, rise: 2, fall: 3 },
});

describe('probes', () => {
  it('repeat for every backend: down after `fall` failures in a row, up after `rise` successes', async () => {
    const { probes, changes, probed, until } = probing(fast({ backends: ['a:1', 'b:1'] }), (name, nth) =>
      name === a && nth >= 3 && nth < 8 ? 'CONNECTION_REFUSED' : 'up',
    );
    probes.start();
    await until(() => changes.length === 2);
    expect(changes).toEqual([`${a} down`, `${a} up`]);
    expect(probed).toContain('tcp://b:1');
    expect(probed.filter((name) => name === a).length).toBeGreaterThanOrEqual(9);
  });

  it('include a backend of weight 0, so that its health is known when its weight comes back', async () => {
    const { probes, probed, until } = probing(fast({ backends: [{ address: 'a:1', weight: 0 }, 'b:1'] }), () => 'up');
    probes.start();
    await until(() => probed.includes(a));
  });

  it('do not count against a backend that the policy keeps them from', async () => {
    const { probes, changes, probed, until } = probing(fast('tcp://a:1'), () => 'ADDRESS_PROHIBITED');
    probes.start();
    await until(() => probed.length === 12);
    expect(changes).toEqual([]);
  });

  it('without `health` are made only of a backend that went down, until it is up', async () => {
    const { probes, pool, changes, probed, until } = probing(serviceOf({ backends: ['a:1', 'b:1'] }), (_, nth) =>
      nth === 1 ? 'DIAL_TIMEOUT' : 'up',
    );
    probes.start();
    expect(probed).toEqual([]);
    for (let at = 0; at < 3; at++) pool.report(a, 'refused');
    probes.wake(a);
    probes.wake(a);
    await until(() => changes.length === 2);
    expect(changes).toEqual([`${a} down`, `${a} up`]);
    expect(probed).toEqual([a, a]);
  });

  it('go on with the backends that are down after a restart', async () => {
    const { probes, pool, changes, until } = probing(serviceOf({ backends: ['a:1', 'b:1'] }), () => 'up');
    for (let at = 0; at < 3; at++) pool.report(a, 'refused');
    probes.start();
    await until(() => changes.length === 2);
  });

  it('report nothing after they were stopped, not even one that was running', async () => {
    const { probes, changes, probed, until } = probing(
      { ...fast('tcp://a:1'), health: { intervalMs: 2, timeoutMs: 1_000, rise: 1, fall: 1 } },
      () => undefined,
    );
    probes.start();
    await until(() => probed.length === 1);
    probes.stop();
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    expect([changes, probed.length]).toEqual([[], 1]);
  });
});

test('a failure that the backend did not cause does not count against it', () => {
  expect(
    (['CONNECTION_REFUSED', 'DIAL_TIMEOUT', 'DNS_FAILED', 'SERVICE_TLS_FAILED', 'HOST_UNREACHABLE'] as const).every(
      (code) => countsAgainst(new AditError(code, '')),
    ),
  ).toBe(true);
  expect(
    (['POLICY_DENIED', 'ADDRESS_PROHIBITED', 'OVERLOAD', 'PEER_GONE'] as const).some((code) =>
      countsAgainst(new AditError(code, '')),
    ),
  ).toBe(false);
});

test('the reason is the message of the system', () => {
  expect(
    whyOf(
      new AditError('CONNECTION_REFUSED', 'web refused the connection.', {
        cause: new Error('connect ECONNREFUSED 10.0.0.2:80'),
      }),
    ),
  ).toBe('connect ECONNREFUSED 10.0.0.2:80');
  expect(whyOf(new AditError('DIAL_TIMEOUT', 'web did not answer in time.'))).toBe('web did not answer in time.');
});
