/**
 * The way from a bare clone to a task, on a small repository whose installer, compiler and tests are scripts that say
 * they ran.
 */
import { spawnSync } from 'node:child_process';
import { appendFileSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from '@jest/globals';

const folder = mkdtempSync(join(tmpdir(), 'adit-bootstrap-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const machine = `${process.platform}-${process.arch}`;
/** The package of Node on Linux, where these tests run. */
const nodeBin = `node_modules/node-${machine}/bin`;

let clones = 0;
/**
 * A clone in which nothing is installed. Its pnpm, a script, installs Node and a compiler unless told otherwise; its
 * `npm` installs that pnpm without a look at its hash, unless the true npm is asked for.
 */
function clone({ installs = 'exit 0', node = true, compiles = '', bundles = '', tests = '', npm = true } = {}) {
  const root = join(folder, String(clones++));
  const put = (name, text, mode = 0o644) => {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text, { mode });
    return join(root, name);
  };
  for (const name of ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', 'packages/shared/package.json'])
    put(name, '{}');
  put('.pnpmfile.mjs', '');
  put('scripts/test.mjs', `console.log('tests of', process.argv.slice(2).join(' ')); ${tests}`);
  put('compiler.js', `console.log('compiled'); ${compiles}`);
  put('scripts/bundle.mjs', `console.log('bundled'); ${bundles}`);
  copyFileSync(fileURLToPath(new URL('./go.mjs', import.meta.url)), join(root, 'scripts', 'go.mjs'));
  pin(root, 'sha512-of-some-pnpm');
  put(
    'pnpm.sh',
    `#!/bin/sh\necho "pnpm $*"\nmkdir -p ${nodeBin} node_modules/typescript/bin\n` +
      `${node ? `ln -sf '${process.execPath}' ${nodeBin}/node\n` : ''}` +
      `cp compiler.js node_modules/typescript/bin/tsc\n${installs}\n`,
    0o755,
  );
  const exe = `node_modules/@pnpm/exe.${machine}`;
  const fake =
    `#!/bin/sh\nmkdir -p ${exe}\ncp '${join(root, 'pnpm.sh')}' ${exe}/pnpm\n` + ': > node_modules/.package-lock.json\n';
  if (npm) put('bin/npm', fake, 0o755);
  const go = (...args) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'scripts', 'go.mjs'), ...args], {
      encoding: 'utf8',
      env: { PATH: [join(root, 'bin'), process.env['PATH']].join(delimiter) },
    });
    return { status, out: stdout.trimEnd().split('\n'), error: stderr.trimEnd().split('\n').at(-1) };
  };
  return { root, go };
}
const pin = (root, integrity) => {
  writeFileSync(
    join(root, 'scripts', 'pnpm.json'),
    JSON.stringify({ version: '1.2.3', programs: { [machine]: integrity } }),
  );
};
const installed = 'pnpm install --frozen-lockfile --reporter=append-only --config.confirm-modules-purge=false';

test('a bare clone installs, compiles and runs; the next run does not install again', () => {
  const { go } = clone();
  expect(go('test', 'packages/shared', '-t', 'one')).toEqual({
    status: 0,
    out: [installed, 'compiled', 'bundled', 'tests of packages/shared -t one'],
    error: '',
  });
  expect(go('test')).toEqual({ status: 0, out: ['compiled', 'bundled', 'tests of'], error: '' });
});

test.each(['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', '.pnpmfile.mjs', 'packages/shared/package.json'])(
  'a change of %s installs again, once',
  (name) => {
    const { root, go } = clone();
    go('build');
    appendFileSync(join(root, name), '\n');
    expect(go('build').out).toEqual([installed, 'compiled', 'bundled']);
    expect(go('build').out).toEqual(['compiled', 'bundled']);
  },
);

test('an installation that fails says so in one line, and is tried again', () => {
  const { go } = clone({ installs: 'exit 7' });
  expect(go('build')).toMatchObject({ status: 7, error: 'install failed (exit status 7)' });
  expect(go('build')).toMatchObject({ status: 7, out: [installed] });
});

test('an installation that brought no Node says so in one line', () => {
  const { go } = clone({ node: false });
  expect(go('build')).toMatchObject({
    status: 1,
    error: `Node was not installed: pnpm-lock.yaml has none for ${machine}, or what came does not have its hash`,
  });
});

test('a machine without a pinned pnpm is told so', () => {
  const { root, go } = clone();
  pin(root, undefined);
  expect(go('build')).toMatchObject({ status: 1, error: `scripts/pnpm.json has no pnpm for ${machine}` });
});

test('a build that fails ends a run of the tests with their closing line, as a failure', () => {
  const { go } = clone({ compiles: 'process.exitCode = 2;' });
  expect(go('test')).toEqual({
    status: 2,
    out: [installed, 'compiled', '0 passed, 1 failed'],
    error: 'build failed (exit status 2)',
  });
});

test('a bundle that fails does the same', () => {
  const { go } = clone({ bundles: 'process.exitCode = 3;' });
  expect(go('test')).toEqual({
    status: 3,
    out: [installed, 'compiled', 'bundled', '0 passed, 1 failed'],
    error: 'bundle failed (exit status 3)',
  });
});

test('tests that fail have the last word', () => {
  const { go } = clone({ tests: "console.log('3 passed, 1 failed'); process.exitCode = 1;" });
  const { status, out, error } = go('test');
  expect({ status, last: out.at(-1), error }).toEqual({ status: 1, last: '3 passed, 1 failed', error: '' });
});

test('tests that are killed are closed as a failure', () => {
  const { go } = clone({ tests: "process.kill(process.pid, 'SIGKILL');" });
  const { status, out, error } = go('test');
  expect({ status, last: out.at(-1), error }).toEqual({
    status: 1,
    last: '0 passed, 1 failed',
    error: 'tests were cut off',
  });
});

test('an unknown task is refused with those that exist', () => {
  const { root, go } = clone();
  expect(go('deploy')).toEqual({
    status: 2,
    out: [''],
    error: 'unknown task deploy: one of build, test, demo, lint, fuzz, soak, bench, release, release:test',
  });
  expect(() => readFileSync(join(root, 'node_modules'))).toThrow('ENOENT');
});
