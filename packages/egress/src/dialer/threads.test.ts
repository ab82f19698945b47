import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { startLookUpThreads } from './threads.ts';

/** What a process of its own prints, whose pool nobody has used, or whose pool was `used` before. */
async function inProcess({ used = false, told }: { readonly used?: boolean; readonly told?: string } = {}) {
  const program = `
    import { readdirSync } from 'node:fs';
    import { access } from 'node:fs/promises';
    import { lookup } from 'node:dns/promises';
    const { startLookUpThreads } = await import(${JSON.stringify(new URL('threads.ts', import.meta.url).href)});
    const before = readdirSync('/proc/self/task').length;
    if (${used}) await access('/');
    const atOnce = await startLookUpThreads(process.env);
    await lookup('localhost');
    console.log(JSON.stringify([atOnce, readdirSync('/proc/self/task').length - before]));`;
  const { UV_THREADPOOL_SIZE: _, ...environment } = process.env;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program],
    { env: { ...environment, ...(told !== undefined && { UV_THREADPOOL_SIZE: told }) }, timeout: 60_000 },
  );
  return JSON.parse(stdout) as [atOnce: number, threads: number];
}

test('a pool that nobody has used gets 64 threads, half of them for look-ups', async () => {
  expect(await inProcess()).toEqual([32, 64]);
});

test('a pool that was used before has what it has', async () => {
  expect(await inProcess({ used: true })).toEqual([2, 4]);
});

test('a pool that the operator gave a size keeps it', async () => {
  expect(await inProcess({ told: '7' })).toEqual([4, 7]);
  expect(await startLookUpThreads({ UV_THREADPOOL_SIZE: '0' })).toBe(1);
  expect(await startLookUpThreads({ UV_THREADPOOL_SIZE: '9999999' })).toBe(512);
  expect(await startLookUpThreads({ UV_THREADPOOL_SIZE: 'many' })).toBe(1);
});
