import { getEventListeners } from 'node:events';
import { expect, test } from '@jest/globals';
import { AditError } from '../errors.ts';
import { attempt, type AttemptOptions, type Settle } from './attempt.ts';
import { Deadline } from './deadline.ts';

interface Tried {
  readonly outcome: Promise<string>;
  readonly settle: Settle<string>;
  /** What was given up, in order: `-` without a value. */
  readonly givenUp: string[];
  readonly controller: AbortController;
}

function tried({ deadlineMs = 30_000 } = {}): Tried {
  const controller = new AbortController();
  const givenUp: string[] = [];
  let settle!: Settle<string>;
  const outcome = attempt(optionsOf(givenUp, controller.signal, deadlineMs), (given) => {
    settle = given;
  });
  return { outcome, settle, givenUp, controller };
}

function optionsOf(givenUp: string[], signal: AbortSignal, deadlineMs = 30_000): AttemptOptions<string> {
  return {
    deadline: new Deadline(deadlineMs),
    signal,
    timedOut: () => new AditError('LINK_TIMEOUT', 'too late'),
    aborted: () => new AditError('PEER_GONE', 'given up'),
    giveUp: (late) => givenUp.push(late ?? '-'),
  };
}

const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
const listeners = ({ signal }: AbortController): number => getEventListeners(signal, 'abort').length;

test('a success is the value, and gives nothing up', async () => {
  const { outcome, settle, givenUp, controller } = tried();
  settle.succeed('connected');
  expect(await outcome).toBe('connected');
  controller.abort();
  settle.fail(new Error('after the fact'));
  expect(givenUp).toEqual([]);
});

test('only the first outcome counts', async () => {
  const first = tried();
  first.settle.succeed('one');
  first.settle.succeed('two');
  expect([await first.outcome, first.givenUp]).toEqual(['one', []]);
  const second = tried();
  second.settle.fail(new Error('one'));
  second.settle.fail(new Error('two'));
  second.controller.abort();
  await expect(second.outcome).rejects.toThrow('one');
  expect(second.givenUp).toEqual(['-']);
});

test('a failure gives up what was opened before the caller hears of it', async () => {
  const { outcome, settle, givenUp } = tried();
  settle.fail(new AditError('LINK_LOST', 'closed'));
  expect(givenUp).toEqual(['-']);
  await expect(outcome).rejects.toMatchObject({ code: 'LINK_LOST' });
});

test('the deadline and the signal fail it, each with its own error', async () => {
  const late = tried({ deadlineMs: 5 });
  await expect(late.outcome).rejects.toMatchObject({ code: 'LINK_TIMEOUT' });
  const aborted = tried();
  aborted.controller.abort();
  await expect(aborted.outcome).rejects.toMatchObject({ code: 'PEER_GONE' });
  expect([late.givenUp, aborted.givenUp]).toEqual([['-'], ['-']]);
});

test('a success that comes too late is given up with its value', async () => {
  const { outcome, settle, givenUp, controller } = tried();
  controller.abort();
  settle.succeed('a socket');
  await expect(outcome).rejects.toMatchObject({ code: 'PEER_GONE' });
  expect(givenUp).toEqual(['-', 'a socket']);
});

test.each<[string, (tried: Tried) => void]>([
  ['succeeds', ({ settle }) => settle.succeed('yes')],
  ['fails', ({ settle }) => settle.fail(new Error('no'))],
  ['is aborted', ({ controller }) => controller.abort()],
])('no timer and no listener is left when it %s', async (_, act) => {
  const before = timers();
  const attempted = tried();
  expect([timers(), listeners(attempted.controller)]).toEqual([before + 1, 1]);
  act(attempted);
  expect([timers(), listeners(attempted.controller)]).toEqual([before, 0]);
  await attempted.outcome.catch(() => 'rejected');
});

test('no listener is left when the deadline passes', async () => {
  const attempted = tried({ deadlineMs: 1 });
  await expect(attempted.outcome).rejects.toMatchObject({ code: 'LINK_TIMEOUT' });
  expect(listeners(attempted.controller)).toBe(0);
});

test('nothing is started for a caller that has gone, and what it brought is given up', async () => {
  const givenUp: string[] = [];
  const before = timers();
  let started = false;
  const outcome = attempt(optionsOf(givenUp, AbortSignal.abort()), () => {
    started = true;
  });
  await expect(outcome).rejects.toMatchObject({ code: 'PEER_GONE' });
  expect([started, givenUp, timers()]).toEqual([false, ['-'], before]);
});

test('a start that throws is a failure like any other', async () => {
  const givenUp: string[] = [];
  const { signal } = new AbortController();
  const outcome = attempt(optionsOf(givenUp, signal), () => {
    throw new AditError('INTERNAL', 'a bug');
  });
  await expect(outcome).rejects.toMatchObject({ code: 'INTERNAL' });
  expect([givenUp, getEventListeners(signal, 'abort').length]).toEqual([['-'], 0]);
});

test('needs no signal', async () => {
  const failing = attempt<string>(
    { deadline: new Deadline(1), timedOut: () => new AditError('LINK_TIMEOUT', 'too late'), giveUp: () => {} },
    () => {},
  );
  await expect(failing).rejects.toMatchObject({ code: 'LINK_TIMEOUT' });
});
