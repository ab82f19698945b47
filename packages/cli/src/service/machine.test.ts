import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { temporaryFolder } from '../../../../test/support/scope.ts';
import { ownCommand, thisMachine, withoutSystemd } from './machine.ts';

test('systemd is there if it was what booted the machine', () => {
  expect(withoutSystemd('darwin')).toBe('this is darwin, which has no systemd');
  expect(withoutSystemd('linux', join(temporaryFolder(), 'none'))).toMatch(/^systemd does not run on this machine/);
  expect(withoutSystemd('linux', temporaryFolder())).toBeUndefined();
});

test('the program is started again as it was started, or as the single executable that it is', () => {
  const started = { execPath: '/usr/bin/node', execArgv: ['--a'], argv: ['node', '/usr/bin/adit', 'service'] };
  expect(ownCommand(started, false)).toEqual(['/usr/bin/node', '--a', '/usr/bin/adit']);
  expect(ownCommand({ ...started, execPath: '/usr/bin/adit' }, true)).toEqual(['/usr/bin/adit']);
});

test('what runs gives its status and all that it said; what is missing fails', () => {
  const { run, account } = thisMachine();
  expect(run(['sh', '-c', 'echo out; echo err >&2; exit 3'])).toEqual({ status: 3, output: 'out\nerr\n' });
  expect(run(['/nowhere/program'])).toEqual({ status: 1, output: expect.stringContaining('ENOENT') });
  expect(account('root')).toEqual({ uid: 0, gid: 0 });
  expect(account('nobody-of-this-name')).toBeUndefined();
});

test('the units of a user are in the folder of their configuration', () => {
  const { folder } = thisMachine();
  expect(folder('system')).toBe('/etc/systemd/system');
  expect(folder('user')).toMatch(/\/systemd\/user$/);
});
