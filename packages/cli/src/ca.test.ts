import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { aditCa } from '../../../test/support/adit-ca.ts';
import { temporaryFolder } from '../../../test/support/scope.ts';
import { caCommand } from './ca.ts';

const cwd = temporaryFolder();

test('there is a command for each thing that a CA does', () => {
  expect(caCommand().commands.map((command) => command.name())).toEqual([
    'init',
    'issue',
    'request',
    'sign',
    'list',
    'revoke',
    'crl',
    'show',
  ]);
  for (const command of caCommand().commands) expect(command.description()).not.toBe('');
});
test('no command takes a secret as an argument', () => {
  const flags = caCommand()
    .commands.flatMap((command) => [command, ...command.commands])
    .flatMap(({ options }) => options.map((option) => option.flags));
  expect(
    flags.filter((text) => /pass/.test(text)).every((text) => text === '--passphrase' || text.includes('-file <file>')),
  ).toBe(true);
});
test('the store is the folder of --dir, else of ADIT_CA_DIR, else ./ca', async () => {
  mkdirSync(join(cwd, 'x'));
  await aditCa(['init'], { cwd });
  await aditCa(['init'], { cwd, env: { ADIT_CA_DIR: 'by-variable' } });
  await aditCa(['init', '--dir', 'by-flag'], { cwd, env: { ADIT_CA_DIR: 'elsewhere' } });
  expect(
    ['ca', 'by-variable', 'by-flag', 'elsewhere'].map((folder) => existsSync(join(cwd, folder, 'ca.crt'))),
  ).toEqual([true, true, true, false]);
});
test('without a CA, every command that needs one says how to make it, and makes no folder', async () => {
  for (const args of [['list'], ['issue', 'client', 'a'], ['crl']])
    expect(await aditCa([...args, '--dir', 'none'], { cwd })).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^adit: There is no CA in none\. .*"adit ca init".* \[CA_MISSING\]\n$/),
    });
  expect(existsSync(join(cwd, 'none'))).toBe(false);
});
