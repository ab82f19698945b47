import { expect, test } from '@jest/globals';
import { Command } from 'commander';
import { runHere } from '../../../test/support/in-process-program.ts';
import { recordedMachine } from '../../../test/support/service-machine.ts';
import { temporaryFolder } from '../../../test/support/scope.ts';
import { serviceCommand } from './service.ts';

const machine = recordedMachine({ command: ['/usr/bin/adit'] });
const make = (): Command => new Command('adit').addCommand(serviceCommand(() => machine));
const run = (...args: string[]) =>
  runHere({ name: 'adit', make }, ['service', ...args], { cwd: temporaryFolder(), env: {} });

test('--print shows the unit and does nothing', async () => {
  const { code, stdout } = await run('install', 'egress', '--config', '/etc/adit/egress.yaml', '--print');
  expect([code, machine.orders]).toEqual([0, []]);
  expect(stdout).toContain('ExecStart=/usr/bin/adit egress --config /etc/adit/egress.yaml\n');
  expect(stdout).toContain('User=adit\n');
  expect((await run('install', 'ingress', '--user', '--config', '/a.yaml', '--print')).stdout).not.toContain('User=');
  expect((await run('install', 'egress', '--run-as', 'tunnel', '--config', '/a', '--print')).stdout).toContain(
    'User=tunnel\n',
  );
});

test('what this version cannot run as a service is refused', async () => {
  expect(await run('install', 'up', '--config', 'x')).toEqual({
    code: 2,
    stdout: '',
    stderr: 'adit: this version has no service "up": write egress or ingress. See --help. [USAGE]\n',
  });
  expect(await run('remove', 'authority')).toMatchObject({ code: 2, stderr: expect.stringContaining('"authority"') });
  expect(await run('install', 'egress', '--user', '--run-as', 'x', '--config', 'y')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--run-as is for a service of the machine'),
  });
  expect(await run('install', 'egress')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("'--config <file>'"),
  });
});

test('remove says what it did', async () => {
  expect(await run('remove', 'egress')).toMatchObject({
    code: 0,
    stdout: `there is no ${machine.units}/adit-egress.service\n`,
  });
});
