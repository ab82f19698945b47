import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { recordedMachine } from '../../../../test/support/service-machine.ts';
import { removeService } from './remove.ts';
import { writeUnit } from './unit-file.ts';

const user = { half: 'ingress', scope: 'user' } as const;

test('the unit is stopped, disabled and removed; a second time there is nothing', () => {
  const machine = recordedMachine();
  const path = join(machine.units, 'adit-ingress.service');
  writeUnit(path, '[Unit]\n');

  expect(removeService(user, machine)).toEqual([
    `adit-ingress.service stopped, ${path} removed; configuration, keys and accounts are as they were`,
  ]);
  expect(existsSync(path)).toBe(false);
  expect(machine.orders).toEqual([
    'systemctl --user disable --now adit-ingress.service',
    'systemctl --user daemon-reload',
  ]);
  expect(removeService(user, machine)).toEqual([`there is no ${path}`]);
});

test('what systemd refuses, and a unit of somebody else, stay', () => {
  const machine = recordedMachine({ answers: { 'systemctl --user disable': { status: 1, output: 'no bus\n' } } });
  const path = join(machine.units, 'adit-ingress.service');
  writeUnit(path, '[Unit]\n');
  expect(() => removeService(user, machine)).toThrow('systemctl disable --now adit-ingress.service: no bus');
  writeFileSync(path, '[Unit]\n');
  expect(() => removeService(user, machine)).toThrow('is not ours');
  expect(existsSync(path)).toBe(true);
});

test('without systemd, and without root, it says so', () => {
  expect(() => removeService(user, recordedMachine({ withoutSystemd: 'this is darwin' }))).toThrow(
    'this is darwin: there is',
  );
  expect(() => removeService({ ...user, scope: 'system' }, recordedMachine({ isRoot: false }))).toThrow(
    'removed by root',
  );
});
