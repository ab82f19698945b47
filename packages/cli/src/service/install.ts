/**
 * `adit service install`: the unit of one half is checked, written, enabled and started.
 * Rule: nothing is written before the configuration passed `--check` as the account of the service, and systemd found
 * nothing wrong with the unit. A unit that somebody else wrote is never replaced.
 */
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { AditError } from '@adit/shared/errors';
import { unixDatagram } from '@adit/shared/native/unix-datagram';
import type { Account, Machine, Scope } from './machine.ts';
import { readUnit, writeUnit } from './unit-file.ts';
import { type Half, unitName, type UnitOptions, unitText, word } from './unit.ts';

export interface InstallOptions {
  readonly half: Half;
  readonly config: string;
  readonly scope: Scope;
  /** Of the system: whose process it is. Default `adit`, which is made if it is not there. */
  readonly account?: string;
}

const ownAccount = 'adit';

/** Installs and returns what to tell. Throws USAGE, SERVICE_UNAVAILABLE, SERVICE_FAILED or what the check says. */
export function installService(options: InstallOptions, machine: Machine): readonly string[] {
  const { half, scope } = options;
  const unit = unitOptions(options, machine);
  refuseWithoutSystemd(unit, machine);
  if (scope === 'system' && !machine.isRoot)
    throw new AditError(
      'USAGE',
      'a service of the machine is installed by root: use sudo, or --user for one of your own',
    );
  const path = join(machine.folder(scope), unitName(half));
  if (readUnit(path) === 'of somebody else')
    throw new AditError('SERVICE_FAILED', `${path} is not ours: move it away first`);
  const made = scope === 'system' ? makeAccount(unit.account!, machine) : [];
  checkConfiguration(unit, machine);
  verifyUnit(unit, machine);
  writeUnit(path, unitText(unit));
  return [...made, `${path} written`, ...start(unit, machine)];
}

/** The unit, with what this machine adds to the options. Throws USAGE. */
export function unitOptions({ half, config, scope, account }: InstallOptions, { command }: Machine): UnitOptions {
  const file = resolve(config);
  const places = [...command.filter((part) => part.startsWith('/')), file].map(realPath);
  const temporary = places.find((place) => /^\/(?:var\/)?tmp\//.test(place));
  if (scope === 'system' && temporary !== undefined)
    throw new AditError(
      'USAGE',
      `a service of the machine has a /tmp of its own, without ${temporary}: move it elsewhere`,
    );
  return {
    half,
    command,
    config: file,
    scope,
    ...(scope === 'system' && { account: account ?? ownAccount }),
    readsHome: places.some((place) => /^\/(?:home|root|run\/user)\//.test(place)),
    notifiesByProgram: 'missing' in unixDatagram(),
  };
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path; // the check says what is wrong with it
  }
}

function refuseWithoutSystemd({ half, command, config }: UnitOptions, { withoutSystemd }: Machine): void {
  if (withoutSystemd === undefined) return;
  const line = [...command, half, '--config', config].map(word).join(' ');
  throw new AditError(
    'SERVICE_UNAVAILABLE',
    `${line}\n${withoutSystemd}, so that nothing was installed: let what supervises programs here start the line ` +
      `above, and start it again unless it ends with 0, 2${half === 'egress' ? ' or 3' : ', 3 or 4'}; ` +
      'SIGTERM ends it, SIGHUP loads its files again',
  );
}

/** The account of our own is made; another one has to be there. */
function makeAccount(name: string, machine: Machine): string[] {
  if (machine.account(name)) return [];
  if (name !== ownAccount) throw new AditError('USAGE', `there is no account ${name}`);
  const { status, output } = machine.run([
    'useradd',
    '--system',
    '--user-group',
    '--home-dir',
    '/nonexistent',
    '--no-create-home',
    '--shell',
    '/usr/sbin/nologin',
    name,
  ]);
  if (status !== 0) throw new AditError('SERVICE_FAILED', `the account ${name} cannot be made: ${output.trim()}`);
  return [`account ${name} made`];
}

function checkConfiguration({ half, command, config, account }: UnitOptions, machine: Machine): void {
  const as: Account | undefined = account === undefined ? undefined : machine.account(account);
  const { status, output } = machine.run([...command, half, '--config', config, '--check'], as);
  if (status === 0) return;
  const who = account === undefined ? '' : `, checked as ${account}, whose process it will be`;
  throw new AditError('SERVICE_FAILED', `${output.trim()}\n${config} is not usable${who}: nothing was installed`);
}

function verifyUnit(unit: UnitOptions, machine: Machine): void {
  const folder = mkdtempSync(join(tmpdir(), 'adit-'));
  const name = unitName(unit.half);
  try {
    writeFileSync(join(folder, name), unitText(unit));
    const user = unit.scope === 'user' ? ['--user'] : [];
    const { status, output } = machine.run(['systemd-analyze', ...user, 'verify', '--man=no', join(folder, name)]);
    // It complains about other units of the machine, too.
    const ours = output.split('\n').filter((line) => line.includes(name));
    if (status !== 0 && ours.length > 0)
      throw new AditError('SERVICE_FAILED', `systemd refuses the unit: ${ours.join('; ')}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function start({ half, scope }: UnitOptions, machine: Machine): string[] {
  const name = unitName(half);
  const user = scope === 'user' ? ['--user'] : [];
  const ran = machine.run(['systemctl', ...user, 'is-active', '--quiet', name]).status === 0;
  for (const order of [['daemon-reload'], ['enable', '--now', name]]) {
    const { status, output } = machine.run(['systemctl', ...user, ...order]);
    if (status !== 0)
      throw new AditError(
        'SERVICE_FAILED',
        `systemctl ${order.join(' ')}: ${output.trim()}\n` +
          `see: journalctl ${scope === 'user' ? '--user-unit' : '--unit'} ${name}`,
      );
  }
  const control = `systemctl ${scope === 'user' ? '--user ' : ''}`;
  return [
    ran ? `${name} runs as before; with what is new after: ${control}restart ${name}` : `${name} enabled and started`,
    ...(scope === 'user' ? ['it ends when you log out, unless you run: loginctl enable-linger'] : []),
  ];
}
