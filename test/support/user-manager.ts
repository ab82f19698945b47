/**
 * A real systemd, as the manager of a user, in namespaces of its own (user-manager.sh).
 * Rule: it knows only the units of its folder: it never starts, mounts or cleans what belongs to the machine. It and
 * all that it started are gone at the end. Needs Linux and root.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child, type Finished, run } from './child.ts';
import type { Ability } from './scenario.ts';
import { atEnd, temporaryFolder } from './scope.ts';

const systemd = '/lib/systemd/systemd';

/** For `scenario`. */
export const userManagers: readonly (string | Ability)[] = [
  'unshare',
  'nsenter',
  'systemctl',
  { name: 'root with namespaces, and systemd', here: () => existsSync(systemd) && mayUnshare() },
];

function mayUnshare(): boolean {
  return spawnSync('unshare', ['--mount', '--pid', '--fork', '--mount-proc', 'true']).status === 0;
}

/** Units that each of ours depends on; they do nothing here. */
const stubs = ['basic.target', 'default.target', 'shutdown.target', 'sockets.target', 'timers.target', 'paths.target'];

export class UserManager {
  readonly folder: string;
  readonly home: string;
  readonly #child: Child;
  readonly #cgroup = `adit-test-${process.pid}-${Date.now()}`;
  #pid = 0;

  /** A unit with a /tmp of its own does not see what is below /tmp: it needs another folder. */
  constructor(folder = temporaryFolder()) {
    this.folder = folder;
    this.home = join(folder, 'home');
    mkdirSync(join(this.folder, 'units'));
    mkdirSync(join(this.home, '.config', 'systemd', 'user'), { recursive: true });
    mkdirSync(join(this.folder, 'units', 'adit-.service.d'));
    const log = join(this.folder, '%N.log'); // there is no journal
    this.unit('adit-.service.d/log.conf', `[Service]\nStandardError=append:${log}\n`);
    for (const name of stubs) this.unit(name, `[Unit]\nDescription=${name}\nDefaultDependencies=no\n`);
    atEnd(() => removeGroups(this.#cgroup)); // runs after the manager is gone
    const namespaces = ['--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child', '--mount-proc'];
    const script = join(import.meta.dirname, 'user-manager.sh');
    this.#child = new Child('unshare', [...namespaces, 'sh', script, this.folder, this.#cgroup], {
      name: 'systemd --user',
      stopSignal: 'SIGKILL', // --kill-child ends everything in the namespace
    });
  }

  /** Waits until it takes orders. */
  async started(): Promise<this> {
    for (;;) {
      const pids = existsSync(join(this.folder, 'run', 'systemd', 'private')) ? descendants(this.#child.pid) : [];
      this.#pid = pids.find((pid) => commandOf(pid).startsWith(`${systemd} --user`)) ?? 0;
      if (this.#pid > 0) return this;
      if (!this.#child.running) throw new Error(this.#child.output);
      await new Promise(setImmediate);
    }
  }

  /** Puts a unit where the manager finds it; `reload` makes it known. */
  unit(name: string, text: string): void {
    writeFileSync(join(this.folder, 'units', name), text);
  }

  /** Runs a command inside, as the programs of the user do. */
  run(command: string, ...args: readonly string[]): Promise<Finished> {
    const environment = [`HOME=${this.home}`, `XDG_RUNTIME_DIR=${join(this.folder, 'run')}`, 'XDG_CONFIG_HOME='];
    return run('nsenter', ['-t', String(this.#pid), '-m', '-p', 'env', ...environment, command, ...args]);
  }

  systemctl(...args: readonly string[]): Promise<Finished> {
    return this.run('systemctl', '--user', ...args);
  }

  /** Properties of a unit, by name. */
  async show(unit: string, ...names: readonly string[]): Promise<Readonly<Record<string, string>>> {
    const { stdout } = await this.systemctl('show', unit, `--property=${names.join(',')}`);
    return Object.fromEntries(
      stdout
        .trim()
        .split('\n')
        .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
  }

  /** Waits until a property of a unit is as it should be. */
  async until(unit: string, name: string, value: string): Promise<void> {
    const lateAtMs = performance.now() + 30_000;
    while ((await this.show(unit, name))[name] !== value)
      if (performance.now() > lateAtMs) throw new Error(`${name} of ${unit} is not ${value}\n${this.log(unit)}`);
  }

  /** What a unit of ours has written to stderr. */
  log(unit: string): string {
    return readFileSync(join(this.folder, `${unit.replace(/\.service$/, '')}.log`), 'utf8');
  }
}

function descendants(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter(Boolean)
    .map(Number);
  return [...children, ...children.flatMap(descendants)];
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return ''; // it is gone
  }
}

/** The control groups that it made, innermost first. The kernel removes processes from them a moment later. */
async function removeGroups(name: string): Promise<void> {
  const hierarchies = ['', ...readdirSync('/sys/fs/cgroup')].map((folder) => join('/sys/fs/cgroup', folder, name));
  for (const top of hierarchies.filter((path) => existsSync(path))) {
    const groups = readdirSync(top, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ parentPath, name: own }) => join(parentPath, own))
      .toSorted((one, other) => other.length - one.length);
    for (const group of [...groups, top]) await removed(group);
  }
}

async function removed(group: string): Promise<void> {
  for (;;)
    try {
      return rmdirSync(group);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EBUSY') throw error;
      await new Promise(setImmediate);
    }
}
