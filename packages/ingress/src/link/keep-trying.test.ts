import { setImmediate } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { AditError, wireOfCode } from '@adit/shared/errors';
import { RefusedError } from '@adit/shared/session/connect';
import { memoryLog, type Line } from '../../../../test/support/in-process.ts';
import { atEnd, within } from '../../../../test/support/scope.ts';
import { KeepTrying, type KeepTryingOptions } from './keep-trying.ts';

type Attempt = KeepTryingOptions['attempt'];

const unreachable = (reason: string): AditError => new AditError('EGRESS_UNREACHABLE', reason);
const fails =
  (error: Error): Attempt =>
  () =>
    Promise.reject(error);
/** A dial that ends only with its signal. */
const hangs: Attempt = (signal) =>
  new Promise((_resolve, reject) =>
    signal.addEventListener('abort', () => reject(unreachable('given up')), { once: true }),
  );

/** Attempts that go as the script says, one after the other; after the last, one hangs and `done` resolves. */
function scripted(script: readonly Attempt[], changes: Partial<KeepTryingOptions> = {}) {
  const { log, lines, until } = memoryLog();
  const steps = [...script];
  const calls: string[] = [];
  let finish!: () => void;
  const done = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const trying = new KeepTrying({
    name: 'edge',
    what: 'session',
    log,
    backoff: {
      next: () => {
        calls.push('next');
        return 0;
      },
      reset: () => {
        calls.push('reset');
      },
    },
    attempt: (signal) => {
      const step = steps.shift();
      if (step) return step(signal);
      finish();
      return hangs(signal);
    },
    ...changes,
  });
  atEnd(() => trying.stop());
  return {
    trying,
    running: trying.run(),
    done: () => within(30_000, 'the end of the script', done),
    calls,
    lines,
    until,
  };
}

const shown = (lines: readonly Line[]): unknown[] =>
  lines.map((line) => [line['level'], line.event, line['reason'], line['delayMs'], line['msg']]);

test('a failed attempt is logged and repeated; the same failure again goes to the debug log', async () => {
  const { trying, running, done, calls, lines } = scripted([
    fails(unreachable('no route')),
    fails(unreachable('no route')),
    fails(new AditError('LINK_TIMEOUT', 'too late', { advice: 'Be early.' })),
  ]);
  await done();
  expect(shown(lines)).toEqual([
    ['warn', 'retrying', 'no route', 0, 'no session'],
    ['debug', 'retrying', 'no route', 0, 'no session'],
    ['warn', 'retrying', 'too late', 0, 'no session'],
  ]);
  expect(lines[0]).toMatchObject({ egress: 'edge', code: 'EGRESS_UNREACHABLE', advice: expect.any(String) });
  expect([trying.trouble, trying.advice]).toEqual(['too late', 'Be early.']);
  trying.trouble = 'lost';
  expect(trying.advice).toBeUndefined();
  expect(calls).toEqual(['next', 'next', 'next']);
  trying.stop();
  await running;
});

test('a refusal that asks for a longer pause than the backoff gets it', async () => {
  const { until, trying, running } = scripted([
    fails(new RefusedError({ code: wireOfCode('LIMIT_SESSIONS'), reason: 'too many sessions', retryAfterMs: 60_000 })),
  ]);
  expect(await until((line) => line.event === 'retrying')).toMatchObject({ delayMs: 60_000 });
  trying.stop();
  await within(30_000, 'the stop in the middle of the pause', running);
});

test('a denial that is final ends it, and so does an error that is a bug', async () => {
  const denial = new AditError('CLIENT_CERT_REVOKED', 'revoked');
  const { running, lines } = scripted([fails(unreachable('no route')), fails(denial)]);
  await expect(running).rejects.toBe(denial);
  expect(lines).toHaveLength(1);
  const bug = new TypeError('undefined is not a function');
  await expect(scripted([fails(bug)]).running).rejects.toBe(bug);
});

test('after a lost connection the next attempt follows, after the pause that the last one returned', async () => {
  const { done, calls, lines } = scripted([() => Promise.resolve(0), () => Promise.resolve(1)]);
  await done();
  expect([calls, lines]).toEqual([[], []]);
});

test('a network change ends an attempt, and leaves the backoff as it is', async () => {
  let hurried = 0;
  const { trying, done, calls, until } = scripted([hangs], { hurried: () => hurried++ });
  trying.doubt();
  await done();
  expect(await until((line) => line.event === 'retrying')).toMatchObject({
    level: 'info',
    reason: 'the network changed',
    delayMs: 0,
  });
  expect([hurried, calls]).toEqual([1, []]);
});

test('a network change ends a pause', async () => {
  const { trying, done } = scripted([() => Promise.resolve(1 << 30)]);
  await setImmediate();
  trying.doubt();
  await done();
});

test('a network change while the connection was up does not shorten the pause after it', async () => {
  let began = 0;
  let lose!: (pauseMs: number) => void;
  const { trying, done } = scripted([
    () =>
      new Promise((resolve) => {
        lose = resolve;
      }),
  ]);
  trying.hurry('the network changed');
  began = performance.now();
  lose(200);
  await done();
  expect(performance.now() - began).toBeGreaterThanOrEqual(199);
});

test('stopped, it makes no further attempt and logs nothing', async () => {
  const { trying, running, done, lines } = scripted([]);
  await done();
  trying.stop();
  trying.doubt();
  await running;
  expect(lines).toEqual([]);
});
