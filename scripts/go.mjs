/**
 * From a bare clone to a running task: installs with pnpm (through npx if pnpm is missing), builds, and runs the task
 * with the pinned Node.
 * Rule: needs only Node 20 and npm. Installs again only if the hash of the manifests has changed. A step that fails
 * prints one line and ends with its status. `test` prints its closing line even if the tests could not start.
 * usage: node scripts/go.mjs build|test|demo|lint|fuzz|bench [arguments]
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const at = (...parts) => join(root, ...parts);
const windows = process.platform === 'win32';
const pinned = at('node_modules', 'node', 'bin', windows ? 'node.exe' : 'node');
const stamp = at('node_modules', '.cache', 'adit-installed');

const quiet = '--disable-warning=ExperimentalWarning';
const fromSource = ['--conditions=@adit/source', quiet];
/** What the pinned Node is given for each task; `build` ends with the build. */
const tasks = {
  build: undefined,
  test: [quiet, at('scripts', 'test.mjs')],
  demo: [...fromSource, at('scripts', 'demo.ts')],
  lint: [at('scripts', 'lint.mjs')],
  fuzz: [...fromSource, at('test', 'fuzz', 'main.ts')],
  bench: [...fromSource, at('bench', 'main.ts')],
};

const [task = '(none)', ...args] = process.argv.slice(2);
if (!Object.hasOwn(tasks, task)) fail(`unknown task ${task}: one of ${Object.keys(tasks).join(', ')}`, 2);
install();
run('build', pinned, [at('node_modules', 'typescript', 'bin', 'tsc'), '-b']);
if (task === 'test') runTests();
else if (tasks[task] !== undefined) run(task, pinned, [...tasks[task], ...args]);

/** Installs what the lockfile says, unless that is installed already. */
function install() {
  const wanted = fingerprint();
  if (existsSync(pinned) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  rmSync(stamp, { force: true });
  const path = process.env.npm_execpath ?? '';
  const [command, before] = /pnpm[^/\\]*$/.test(path)
    ? [process.execPath, [path]]
    : [windows ? 'npx.cmd' : 'npx', ['--yes', 'pnpm@12']];
  run('install', command, [
    ...before,
    'install',
    '--frozen-lockfile',
    '--reporter=append-only',
    '--config.confirm-modules-purge=false',
  ]);
  mkdirSync(at('node_modules', '.cache'), { recursive: true });
  writeFileSync(stamp, wanted);
}

function fingerprint() {
  const packages = readdirSync(at('packages'))
    .sort()
    .map((name) => join('packages', name, 'package.json'));
  const hash = createHash('sha256').update(process.platform).update(process.arch);
  for (const manifest of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json', ...packages])
    if (existsSync(at(manifest))) hash.update(manifest).update(readFileSync(at(manifest)));
  return hash.digest('hex');
}

/** The test runner reports its failures itself, and its closing line must be the last one. */
function runTests() {
  const { status } = spawnSync(pinned, [...tasks.test, ...args], { cwd: root, stdio: 'inherit' });
  if (status === null) fail('tests were cut off', 1);
  process.exitCode = status;
}

/** Runs one step; ends the process with its status if it fails. */
function run(step, command, argv) {
  const { status, signal, error } = spawnSync(command, argv, {
    cwd: root,
    stdio: 'inherit',
    shell: windows && command.endsWith('.cmd'),
  });
  if (error) fail(`${step} could not start: ${error.message}`, 1);
  if (signal) fail(`${step} was ended by ${signal}`, 128 + constants.signals[signal]);
  if (status !== 0) fail(`${step} failed (exit status ${status})`, status);
}

function fail(message, status) {
  process.stderr.write(`${message}\n`);
  if (task === 'test') process.stdout.write('0 passed, 1 failed\n');
  process.exit(status);
}
