import { afterEach, describe, expect, it, test } from '@jest/globals';
import { AditError, type Code } from '@adit/shared/errors';
import { serviceOf, type ServiceText } from '../../../../test/support/pool-services.ts';
import { within } from '../../../../test/support/scope.ts';
import type { Service } from '../policy/service.ts';
import { Checks, countsAgainst, whyOf, type Look } from './checks.ts';
import { Pool } from './pool.ts';

const a = 'tcp://a:1';
const undo: (() => void)[] = [];
afterEach(() => {
  for (const one of undo.splice(0)) one();
});

/** Checks of a pool whose looks end as `answers` says, with the turns it took, and a wait for the nth look. */
function checked(service: Service, answers: (backend: string, nth: number) => Code | 'up' | 'broken' | undefined) {
  const turns: string[] = [];
  const looks: string[] = [];
  const waiting = new Set<() => void>();
  const wake = (): void => {
    for (const one of waiting) one();
  };
  const pool = new Pool(service, ({ backend, isUp }) => {
    turns.push(`${backend} ${isUp ? 'up' : 'down'}`);
    wake();
  });
  const under = new Map<string, number>();
  const look: Look = async ({ name }, { signal }) => {
    looks.push(name);
    under.set(name, (under.get(name) ?? 0) + 1);
    expect(under.get(name)).toBe(1);
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    under.set(name, 0);
    wake();
    const answer = answers(name, looks.filter((one) => one === name).length);
    if (answer === undefined)
      await new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          reject(new AditError('PEER_GONE', 'stopped'));
        });
      });
    else if (answer !== 'up' && answer !== 'broken') throw new AditError(answer, answer);
  };
  const checks = new Checks({ pool, look, random: () => 0 });
  undo.push(() => checks.stop());
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
      () => `${turns.join(', ')}; ${looks.length} looks`,
    );
  return { checks, pool, turns, looks, until };
}

const fast = (written: ServiceText): Service => ({
  ...serviceOf(written),
  health: { intervalMs: 2, timeoutMs: 1_000, rise: 2, fall: 3 },
});

describe('checks', () => {
  it('look at every backend again and again: down after `fall` failures in a row, up after `rise` successes', async () => {
    const { checks, turns, looks, until } = checked(fast({ backends: ['a:1', 'b:1'] }), (name, nth) =>
      name === a && nth >= 3 && nth < 8 ? 'CONNECTION_REFUSED' : 'up',
    );
    checks.start();
    await until(() => turns.length === 2);
    expect(turns).toEqual([`${a} down`, `${a} up`]);
    expect(looks).toContain('tcp://b:1');
    expect(looks.filter((name) => name === a).length).toBeGreaterThanOrEqual(9);
  });

  it('look at one of weight 0, too, so that it is known when its weight comes back', async () => {
    const { checks, looks, until } = checked(fast({ backends: [{ address: 'a:1', weight: 0 }, 'b:1'] }), () => 'up');
    checks.start();
    await until(() => looks.includes(a));
  });

  it('hold nothing against a backend that the policy keeps them from', async () => {
    const { checks, turns, looks, until } = checked(fast('tcp://a:1'), () => 'ADDRESS_PROHIBITED');
    checks.start();
    await until(() => looks.length === 12);
    expect(turns).toEqual([]);
  });

  it('without `health` look only at one that went down, until it is up', async () => {
    const { checks, pool, turns, looks, until } = checked(serviceOf({ backends: ['a:1', 'b:1'] }), (_, nth) =>
      nth === 1 ? 'DIAL_TIMEOUT' : 'up',
    );
    checks.start();
    expect(looks).toEqual([]);
    for (let at = 0; at < 3; at++) pool.report(a, 'refused');
    checks.wake(a);
    checks.wake(a);
    await until(() => turns.length === 2);
    expect(turns).toEqual([`${a} down`, `${a} up`]);
    expect(looks).toEqual([a, a]);
  });

  it('go on with what is down when they start anew', async () => {
    const { checks, pool, turns, until } = checked(serviceOf({ backends: ['a:1', 'b:1'] }), () => 'up');
    for (let at = 0; at < 3; at++) pool.report(a, 'refused');
    checks.start();
    await until(() => turns.length === 2);
  });

  it('say nothing after they were stopped, not even of a look that is under way', async () => {
    const { checks, turns, looks, until } = checked(
      { ...fast('tcp://a:1'), health: { intervalMs: 2, timeoutMs: 1_000, rise: 1, fall: 1 } },
      () => undefined,
    );
    checks.start();
    await until(() => looks.length === 1);
    checks.stop();
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    expect([turns, looks.length]).toEqual([[], 1]);
  });
});

test('what is no fault of the backend does not count against it', () => {
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

test('the reason is what the system said', () => {
  expect(
    whyOf(
      new AditError('CONNECTION_REFUSED', 'web refused the connection.', {
        cause: new Error('connect ECONNREFUSED 10.0.0.2:80'),
      }),
    ),
  ).toBe('connect ECONNREFUSED 10.0.0.2:80');
  expect(whyOf(new AditError('DIAL_TIMEOUT', 'web did not answer in time.'))).toBe('web did not answer in time.');
});
