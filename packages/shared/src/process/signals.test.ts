import { spawnSync } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { expect, test } from '@jest/globals';
import { hasTerminal, type ReloadSignal, refuseDebugger, untilSignalled, within } from './signals.ts';

const ignored = (): void => {};

test('SIGHUP reloads, SIGUSR2 swaps, SIGTERM drains, and a second SIGINT hurries the drain', async () => {
  const source = new EventEmitter();
  const seen: string[] = [];
  let drained!: () => void;
  const ended = untilSignalled(
    {
      reload: () => seen.push('reload'),
      ignored,
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
        ignored,
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
    {
      reload: () => {},
      ignored,
      swap: () => {},
      drain: () => Promise.reject(new Error('not asked for')),
      until: stop.signal,
    },
    new EventEmitter(),
  );
  stop.abort();
  await ended;
  await untilSignalled(
    { reload: () => {}, ignored, swap: () => {}, drain: async () => {}, until: stop.signal },
    new EventEmitter(),
  );
});

test('a drain that fails is an error', async () => {
  const source = new EventEmitter();
  const ended = untilSignalled(
    { reload: () => {}, ignored, swap: () => {}, drain: () => Promise.reject(new Error('broken')) },
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

test.each([
  ['auto', false, 'reload'],
  ['auto', true, 'drain'],
  ['SIGHUP', true, 'reload'],
  ['none', false, 'drain'],
] as const)('with %s, and a terminal: %s, SIGHUP is a %s', async (reloadSignal: ReloadSignal, terminal, meaning) => {
  const source = new EventEmitter();
  const seen: string[] = [];
  const stop = new AbortController();
  const ended = untilSignalled(
    {
      reload: () => seen.push('reload'),
      reloadSignal,
      ignored,
      swap: () => {},
      drain: (impatient) =>
        new Promise(() => {
          seen.push('drain');
          impatient.addEventListener('abort', () => seen.push('hurry'));
        }),
      until: stop.signal,
    },
    source,
    () => terminal,
  );
  source.emit('SIGHUP');
  source.emit('SIGHUP'); // of the kernel, and of the shell
  expect(seen).toEqual(meaning === 'drain' ? ['drain'] : ['reload', 'reload']);
  stop.abort();
  await ended;
});

test('SIGUSR1 changes nothing and is told; it has a listener before and after, so that no debugger opens', async () => {
  const source = new EventEmitter();
  refuseDebugger(source);
  refuseDebugger(source);
  expect(source.listenerCount('SIGUSR1')).toBe(1);
  const seen: string[] = [];
  const stop = new AbortController();
  const ended = untilSignalled(
    {
      reload: () => {},
      swap: () => {},
      ignored: (signal) => seen.push(signal),
      drain: () => Promise.reject(new Error('not asked for')),
      until: stop.signal,
    },
    source,
  );
  source.emit('SIGUSR1');
  expect(seen).toEqual(['SIGUSR1']);
  stop.abort();
  await ended;
  expect([source.emit('SIGUSR1'), seen]).toEqual([true, ['SIGUSR1']]);
});

test('a process in a session of its own has no controlling terminal', () => {
  const source = new URL('./signals.ts', import.meta.url).href;
  const script = `import { hasTerminal } from ${JSON.stringify(source)}; process.stdout.write(String(hasTerminal()));`;
  const { stdout, stderr } = spawnSync('setsid', [process.execPath, '--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  expect([stdout, stderr.includes('Error')]).toEqual(['false', false]);
  expect(typeof hasTerminal()).toBe('boolean');
});
