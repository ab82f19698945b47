/**
 * `adit service remove`: the unit that `adit service install` wrote is stopped and removed.
 * Rule: configuration, keys and the account stay. Removing what is not there is no error.
 */
import { join } from 'node:path';
import { AditError } from '@adit/shared/errors';
import type { Machine, Scope } from './machine.ts';
import { readUnit, removeUnit } from './unit-file.ts';
import { type Half, unitName } from './unit.ts';

export interface RemoveOptions {
  readonly half: Half;
  readonly scope: Scope;
}

/** Removes and returns what to tell. Throws SERVICE_UNAVAILABLE, SERVICE_FAILED or USAGE. */
export function removeService({ half, scope }: RemoveOptions, machine: Machine): readonly string[] {
  const name = unitName(half);
  if (machine.withoutSystemd !== undefined)
    throw new AditError('SERVICE_UNAVAILABLE', `${machine.withoutSystemd}: there is no ${name} to remove`);
  if (scope === 'system' && !machine.isRoot)
    throw new AditError(
      'USAGE',
      'a service of the machine is removed by root: use sudo, or --user for one of your own',
    );
  const path = join(machine.folder(scope), name);
  const found = readUnit(path);
  if (found === 'absent') return [`there is no ${path}`];
  if (found !== 'ours') throw new AditError('SERVICE_FAILED', `${path} is not ours`);
  const user = scope === 'user' ? ['--user'] : [];
  const { status, output } = machine.run(['systemctl', ...user, 'disable', '--now', name]);
  if (status !== 0) throw new AditError('SERVICE_FAILED', `systemctl disable --now ${name}: ${output.trim()}`);
  removeUnit(path);
  machine.run(['systemctl', ...user, 'daemon-reload']);
  return [`${name} stopped, ${path} removed; configuration, keys and accounts are as they were`];
}
