/**
 * From a bare clone to a running task: installs with pnpm (through npx where it is missing), builds, then runs the task under the pinned Node.
 * Rule: needs only Node 20 and npm; does nothing twice (what was installed is remembered by the hash of the manifests); a failed step says
 * in one line what failed and ends with its status.
 * usage: node scripts/go.mjs build|test|demo|lint|fuzz|bench [arguments]
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const at = (...parts) => join(root, ...parts);
const windows = process.platform === 'win32';
const pinned = at('node_modules', 'node', 'bin', windows ? 'node.exe' : 'node');
const stamp = at('node_modules', '.cache', 'adit-installed');

const source = ['--conditions=@adit/source', '--disable-warning=ExperimentalWarning'];
const tasks = {
  build: () => undefined,
  test: (args) => node('tests', ['--disable-warning=ExperimentalWarning', at('scripts', 'test.mjs'), ...args]),
  demo: (args) => node('demo', [...source, at('scripts', 'demo.ts'), ...args]),
  lint: (args) => node('lint', [at('scripts', 'lint.mjs'), ...args]),
  fuzz: (args) => node('fuzz', [...source, at('test', 'fuzz', 'main.ts'), ...args]),
  bench: (args) => node('bench', [...source, at('bench', 'main.ts'), ...args]),
};

const [task, ...args] = process.argv.slice(2);
if (!Object.hasOwn(tasks, task ?? '')) fail(`unknown task ${task ?? '(none)'}: one of ${Object.keys(tasks).join(', ')}`, 2);
install();
node('build', [at('node_modules', 'typescript', 'bin', 'tsc'), '-b']);
tasks[task](args);

/** Installs what the lockfile says, unless exactly that is installed already. */
function install() {
  const wanted = fingerprint();
  if (existsSync(pinned) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  const pnpm = process.env.npm_execpath ?? '';
  const [command, before] = /pnpm[^/\\]*$/.test(pnpm) ? [process.execPath, [pnpm]] : [windows ? 'npx.cmd' : 'npx', ['--yes', 'pnpm@12']];
  run('install', command, [...before, 'install', '--frozen-lockfile', '--reporter=append-only']);
  mkdirSync(at('node_modules', '.cache'), { recursive: true });
  writeFileSync(stamp, wanted);
}

function fingerprint() {
  const hash = createHash('sha256');
  const manifests = ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json', ...readdirSync(at('packages')).sort().map((name) => join('packages', name, 'package.json'))];
  for (const manifest of manifests) if (existsSync(at(manifest))) hash.update(manifest).update(readFileSync(at(manifest)));
  return hash.digest('hex');
}

function node(step, args) { run(step, pinned, args); }

/** Runs one step; ends the process with its status if it fails. */
function run(step, command, args) {
  const { status, signal, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', shell: windows && command.endsWith('.cmd') });
  if (error) fail(`${step} could not start: ${error.message}`, 1);
  if (signal) fail(`${step} was ended by ${signal}`, 128 + (constants.signals[signal] ?? 0));
  if (status !== 0) fail(`${step} failed (exit status ${status})`, status ?? 1);
}

function fail(message, status) {
  process.stderr.write(`${message}\n`);
  process.exit(status);
}
