import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { certificates } from '../../../../test/support/certificates.ts';
import { allowLoopback } from '../../../../test/support/in-process.ts';
import { recordedMachine } from '../../../../test/support/service-machine.ts';
import { temporaryFolder } from '../../../../test/support/scope.ts';
import { installService, unitOptions } from './install.ts';

/** A configuration that passes its check. */
function configuration(): string {
  const { egress, ca } = certificates();
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'policy.yaml'), allowLoopback);
  const config = join(folder, 'egress.yaml');
  writeFileSync(config, `cert: ${egress.cert}\nkey: ${egress.key}\nclient-ca: ${ca}\npolicy: policy.yaml\n`);
  return config;
}
const config = configuration();
const user = { half: 'egress', config, scope: 'user' } as const;

test('the unit is checked, written, enabled and started', () => {
  const machine = recordedMachine();
  const path = join(machine.units, 'adit-egress.service');

  expect(installService(user, machine)).toEqual([
    `${path} written`,
    'adit-egress.service enabled and started',
    'it ends when you log out, unless you run: loginctl enable-linger',
  ]);
  expect(readFileSync(path, 'utf8')).toMatch(/^# Written by "adit service install"/);
  expect(readFileSync(path, 'utf8')).toContain(` egress --config ${config}\n`);
  expect(machine.orders).toEqual([
    'systemctl --user is-active --quiet adit-egress.service',
    'systemctl --user daemon-reload',
    'systemctl --user enable --now adit-egress.service',
  ]);
});

test('one that runs is not restarted: that is for its owner to choose', () => {
  const machine = recordedMachine({ answers: { 'systemctl --user is-active': { status: 0, output: '' } } });
  expect(installService(user, machine)[1]).toBe(
    'adit-egress.service runs as before; with what is new after: systemctl --user restart adit-egress.service',
  );
  expect(installService(user, machine)).toHaveLength(3); // over its own unit
});

test('a configuration that its check refuses installs nothing', () => {
  const machine = recordedMachine();
  const bad = join(temporaryFolder(), 'egress.yaml');
  writeFileSync(bad, 'lissten: x\n');
  expect(() => installService({ ...user, config: bad }, machine)).toThrow(
    /unknown; did you mean "listen".*\n.*egress.yaml is not usable: nothing was installed/s,
  );
  expect([machine.orders, existsSync(join(machine.units, 'adit-egress.service'))]).toEqual([[], false]);
});

test('what systemd refuses is said, with where to look', () => {
  const machine = recordedMachine({ answers: { 'systemctl --user enable': { status: 1, output: 'Job failed.\n' } } });
  expect(() => installService(user, machine)).toThrow(
    'systemctl enable --now adit-egress.service: Job failed.\nsee: journalctl --user-unit adit-egress.service',
  );
});

test('a unit of somebody else stays', () => {
  const machine = recordedMachine();
  writeFileSync(join(machine.units, 'adit-egress.service'), '[Unit]\n');
  expect(() => installService(user, machine)).toThrow('is not ours: move it away first');
  expect(readFileSync(join(machine.units, 'adit-egress.service'), 'utf8')).toBe('[Unit]\n');
});

test('without systemd it says what to start, and on which exit statuses not again', () => {
  const machine = recordedMachine({ withoutSystemd: 'this is darwin, which has no systemd' });
  for (const [half, statuses] of [
    ['egress', '0, 2 or 3'],
    ['ingress', '0, 2, 3 or 4'],
  ] as const)
    expect(() => installService({ ...user, half }, machine)).toThrow(
      new RegExp(`${half} --config ${config}\\nthis is darwin, .* unless it ends with ${statuses};`),
    );
});

test('a service of the machine is for root, and its account is made once', () => {
  const system = { ...user, scope: 'system' } as const;
  const outside = { command: [process.execPath] };
  expect(() => unitOptions(system, recordedMachine())).toThrow('has a /tmp of its own');
  const elsewhere = { ...system, config: '/etc/adit/egress.yaml' };
  expect(unitOptions(elsewhere, { ...recordedMachine(), ...outside })).toMatchObject({ account: 'adit' });
  expect(() => installService(elsewhere, recordedMachine({ ...outside, isRoot: false }))).toThrow('installed by root');
  expect(() => installService({ ...elsewhere, account: 'nobody2' }, recordedMachine(outside))).toThrow(
    'there is no account nobody2',
  );
  const machine = recordedMachine(outside);
  expect(() => installService(elsewhere, machine)).toThrow('checked as adit, whose process it will be');
  expect(machine.orders).toEqual([expect.stringMatching(/^useradd --system .* adit$/)]);
});
