import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type WatchOptions, watchFiles } from './watch-files.ts';

let folder: string;
let abort: AbortController;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'adit-'));
  abort = new AbortController();
});
afterEach(() => {
  abort.abort();
  rmSync(folder, { recursive: true, force: true });
});

/** Watches, and hands out one promise per report. */
function watching(
  paths: readonly string[],
  options: WatchOptions = {},
): { changed: () => Promise<void>; count: () => number } {
  let reports = 0;
  let waiting: (() => void) | undefined;
  // The watch does not hold the process; the test has to.
  const alive = setInterval(() => {}, 1000);
  abort.signal.addEventListener('abort', () => {
    clearInterval(alive);
  });
  watchFiles(
    paths,
    () => {
      reports++;
      waiting?.();
    },
    { signal: abort.signal, ...options },
  );
  let taken = 0;
  return {
    count: () => reports,
    changed: () =>
      new Promise((resolve) => {
        const want = ++taken;
        const check = (): void => {
          if (reports >= want) {
            waiting = undefined;
            resolve();
          }
        };
        waiting = check;
        check();
      }),
  };
}
const file = (name: string, content = name): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

test('a file written in place is reported', async () => {
  const path = file('a');
  const { changed } = watching([path]);
  writeFileSync(path, 'new');
  await changed();
});
test('a file replaced by rename is reported, and so is the next time', async () => {
  const path = file('a');
  const { changed } = watching([path]);
  renameSync(file('a.tmp', 'one'), path);
  await changed();
  renameSync(file('a.tmp', 'two'), path);
  await changed();
});
test('a file that appears, and one that goes, are reported', async () => {
  const path = join(folder, 'a');
  const { changed } = watching([path]);
  file('a');
  await changed();
  unlinkSync(path);
  await changed();
});
test('a swapped symbolic link is reported, as Kubernetes updates a secret', async () => {
  mkdirSync(join(folder, '..1'));
  mkdirSync(join(folder, '..2'));
  writeFileSync(join(folder, '..1', 'tls.crt'), 'same');
  writeFileSync(join(folder, '..2', 'tls.crt'), 'same');
  symlinkSync('..1', join(folder, '..data'));
  symlinkSync(join('..data', 'tls.crt'), join(folder, 'tls.crt'));
  const { changed } = watching([join(folder, 'tls.crt')]);
  symlinkSync('..2', join(folder, '..tmp'));
  renameSync(join(folder, '..tmp'), join(folder, '..data'));
  await changed();
});
test('a change of permissions is reported: it may be what makes a refused key usable', async () => {
  const path = file('a');
  const { changed } = watching([path]);
  chmodSync(path, 0o600);
  await changed();
});
test('several files that change together are one report', async () => {
  const paths = ['cert', 'key', 'ca'].map((name) => file(name));
  const { changed, count } = watching(paths, { stillMs: 150 });
  for (const path of paths) writeFileSync(path, 'new');
  await changed();
  expect(count()).toBe(1);
});
test('a neighbour that changes is not reported', async () => {
  const path = file('a');
  const { changed, count } = watching([path]);
  for (let round = 0; round < 20; round++) file('b', String(round));
  writeFileSync(path, 'new');
  await changed();
  expect(count()).toBe(1);
});
test('without a folder to watch, polling finds the file', async () => {
  const path = join(folder, 'later', 'a');
  const { changed } = watching([path], { pollMs: 20, stillMs: 10 });
  mkdirSync(join(folder, 'later'));
  writeFileSync(path, 'x');
  await changed();
});
test('nothing is reported after the abort', async () => {
  const path = file('a');
  const first = watching([path], { pollMs: 10, stillMs: 10 });
  const other = new AbortController();
  let late = 0;
  watchFiles(
    [path],
    () => {
      late++;
    },
    { signal: other.signal, pollMs: 10, stillMs: 10 },
  );
  other.abort();
  writeFileSync(path, 'new');
  await first.changed();
  expect(late).toBe(0);
});
test('a process that only watches ends', () => {
  const script =
    `import { watchFiles } from ${JSON.stringify(join(import.meta.dirname, 'watch-files.ts'))}; ` +
    'watchFiles([process.argv[0]], () => {}, { signal: new AbortController().signal });';
  expect(
    spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script], {
      timeout: 10_000,
    }).status,
  ).toBe(0);
});
