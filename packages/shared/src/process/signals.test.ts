import { EventEmitter } from 'node:events';
import { expect, test } from '@jest/globals';
import { untilSignalled, within } from './signals.ts';

test('SIGHUP reloads, SIGUSR2 swaps, SIGTERM drains, and a second SIGINT hurries the drain', async () => {
  const source = new EventEmitter();
  const seen: string[] = [];
  let drained!: () => void;
  const ended = untilSignalled(
    {
      reload: () => seen.push('reload'),
      swap: () => seen.push('swap'),
      drain: (impatient) =>
        new Promise<void>((resolve) => {
          seen.push('drain');
          drained = resolve;
          impatient.addEventListener('abort', () => {
            seen.push('hurry');
            drained();
          });
        }),
    },
    source,
  );
  for (const signal of ['SIGHUP', 'SIGUSR2', 'SIGTERM', 'SIGINT']) source.emit(signal);
  await ended;
  expect(seen).toEqual(['reload', 'swap', 'drain', 'hurry']);
});

test('a signal after the end does nothing, so that the process keeps its exit status', async () => {
  const source = new EventEmitter();
  const seen: string[] = [];
  for (let n = 0; n < 3; n++) {
    const ended = untilSignalled(
      {
        reload: () => seen.push('reload'),
        swap: () => seen.push('swap'),
        drain: async () => {
          seen.push('drain');
        },
      },
      source,
    );
    source.emit('SIGTERM');
    await ended;
    for (const signal of ['SIGHUP', 'SIGUSR2', 'SIGTERM', 'SIGINT'])
      expect([source.emit(signal), source.listenerCount(signal)]).toEqual([true, 1]);
  }
  expect(seen).toEqual(['drain', 'drain', 'drain']);
});

test('ends without a drain when told to, and at once when told already', async () => {
  const stop = new AbortController();
  const ended = untilSignalled(
    { reload: () => {}, swap: () => {}, drain: () => Promise.reject(new Error('not asked for')), until: stop.signal },
    new EventEmitter(),
  );
  stop.abort();
  await ended;
  await untilSignalled(
    { reload: () => {}, swap: () => {}, drain: async () => {}, until: stop.signal },
    new EventEmitter(),
  );
});

test('a drain that fails is an error', async () => {
  const source = new EventEmitter();
  const ended = untilSignalled(
    { reload: () => {}, swap: () => {}, drain: () => Promise.reject(new Error('broken')) },
    source,
  );
  source.emit('SIGTERM');
  await expect(ended).rejects.toThrow('broken');
});

test('waits for the work, the time or the signal, whichever is first', async () => {
  const never = new Promise<void>(() => {});
  await within(Promise.resolve(), 60_000, new AbortController().signal);
  await within(never, 1, new AbortController().signal);
  const hurry = new AbortController();
  const waited = within(never, 60_000, hurry.signal);
  hurry.abort();
  await waited;
  await within(never, 60_000, hurry.signal);
});
