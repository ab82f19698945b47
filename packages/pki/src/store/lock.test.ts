import { existsSync, readFileSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeEach, expect, test } from '@jest/globals';
import { Child } from '../../../../test/support/child.ts';
import { temporaryFolder } from '../../../../test/support/scope.ts';
import { formatHolder, thisHolder } from './lock-holder.ts';
import { withLock } from './lock.ts';

let folder: string;
let lock: string;
beforeEach(() => {
  folder = temporaryFolder();
  lock = join(folder, 'lock');
});

/** A process that counts `file` up to `turns` times under the lock, by reading and writing it. */
const counter = (turns: number): Child =>
  new Child(process.execPath, [
    '--disable-warning=ExperimentalWarning',
    '--input-type=module',
    '-e',
    `
  import { readFileSync, writeFileSync } from 'node:fs';
  const { withLock } = await import(${JSON.stringify(pathToFileURL(join(import.meta.dirname, 'lock.ts')).href)});
  for (let turn = 0; turn < ${turns}; turn++) await withLock(${JSON.stringify(lock)}, async () => {
    const path = ${JSON.stringify(join(folder, 'count'))};
    const before = Number(readFileSync(path, 'utf8'));
    await new Promise(setImmediate);
    writeFileSync(path, String(before + 1));
    process.stdout.write('counted\\n');
  }, { waitMs: 60_000 });`,
  ]);
const gone = () => ({ ...thisHolder(), pid: 2 ** 30 });

test('the work runs under the lock, its result comes back, and the lock is gone after, even if it fails', async () => {
  expect(
    await withLock(lock, () => {
      expect(existsSync(lock)).toBe(true);
      return 7;
    }),
  ).toBe(7);
  await expect(
    withLock(lock, () => {
      throw new Error('no');
    }),
  ).rejects.toThrow('no');
  expect(readdirSync(folder)).toEqual([]);
});
test('who waits too long is told who has it', async () => {
  await withLock(lock, async () => {
    await expect(withLock(lock, () => 1, { waitMs: 60 })).rejects.toMatchObject({
      code: 'CA_BUSY',
      message: expect.stringContaining(`process ${process.pid} on `),
    });
  });
  writeFileSync(lock, 'somebody else');
  await expect(withLock(lock, () => 1, { waitMs: 0 })).rejects.toMatchObject({
    code: 'CA_BUSY',
    message: `The store is locked: something that is not adit wrote it. If nothing uses the store, remove ${lock}.`,
  });
});
test('the lock of a process that is gone is taken over, also when a breaker was killed', async () => {
  const [first, second] = [gone(), gone()];
  writeFileSync(lock, formatHolder(first));
  writeFileSync(`${lock}.break.${first.token}`, formatHolder(second));
  expect(await withLock(lock, () => 1, { waitMs: 0 })).toBe(1);
  expect(readdirSync(folder)).toEqual([]);
});
test('what killed processes left is removed, and nothing else', async () => {
  writeFileSync(`${lock}.${gone().token}.tmp`, formatHolder(gone()));
  writeFileSync(join(folder, 'index.json.0123456789ab.tmp'), '');
  writeFileSync(`${lock}.${'0'.repeat(24)}.tmp`, '');
  utimesSync(`${lock}.${'0'.repeat(24)}.tmp`, 0, 0);
  for (const name of ['notes.tmp', 'index.json', 'index.json.tmp']) writeFileSync(join(folder, name), '');
  await withLock(lock, () => 1);
  expect(readdirSync(folder).sort()).toEqual(['index.json', 'index.json.tmp', 'notes.tmp']);
});
test('a folder that cannot be used is named', async () => {
  writeFileSync(join(folder, 'file'), '');
  await expect(withLock(join(folder, 'file', 'lock'), () => 1)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
});
test('no two of many processes have it at once, and a killed one does not keep it', async () => {
  writeFileSync(join(folder, 'count'), '0');
  const victims = [counter(10_000), counter(10_000)];
  await Promise.all(victims.map((victim) => victim.until('a turn', () => victim.lines[0])));
  await Promise.all(victims.map((victim) => victim.kill()));
  const before = Number(readFileSync(join(folder, 'count'), 'utf8'));
  const counters = [counter(20), counter(20), counter(20)];
  expect((await Promise.all(counters.map((child) => child.exit))).map(({ code }) => code)).toEqual([0, 0, 0]);
  expect(Number(readFileSync(join(folder, 'count'), 'utf8'))).toBe(before + 60);
  // Somebody killed between making its claim and taking the lock leaves the claim, which nobody looks at.
  const left = readdirSync(folder);
  expect(left.filter((name) => !name.endsWith('.tmp'))).toEqual(['count']);
  expect(left.length - 1).toBeLessThanOrEqual(victims.length);
});
test('who finds the lock taken waits, also when it is released at that moment', async () => {
  // Four that take and release as fast as they can, from one moment on, so that most turns meet another one's.
  const hasty = (): Child =>
    new Child(process.execPath, [
      '--disable-warning=ExperimentalWarning',
      '--input-type=module',
      '-e',
      `
    import { existsSync } from 'node:fs';
    const { withLock } = await import(${JSON.stringify(pathToFileURL(join(import.meta.dirname, 'lock.ts')).href)});
    console.log('ready');
    while (!existsSync(${JSON.stringify(join(folder, 'go'))})) await new Promise((resolve) => setTimeout(resolve, 1));
    const failures = new Set();
    for (const end = Date.now() + 2000; Date.now() < end;) {
      try { await withLock(${JSON.stringify(lock)}, () => {}); } catch ({ message }) { failures.add(message); }
      await new Promise(setImmediate);
    }
    console.log(JSON.stringify([...failures]));`,
    ]);
  const all = Array.from({ length: 4 }, hasty);
  await Promise.all(all.map((child) => child.until('its start', () => child.lines[0])));
  writeFileSync(join(folder, 'go'), '');
  await Promise.all(all.map((child) => child.exit));
  expect(all.map(({ lines }) => lines)).toEqual(all.map(() => ['ready', '[]']));
});
