import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { cases, completionFolder, expectOffer } from '../../../../test/support/completions.ts';
import { succeed } from '../../../../test/support/child.ts';
import { scenario } from '../../../../test/support/scenario.ts';
import { completionScript } from '../completion.ts';
import { program } from '../program.ts';

const folder = completionFolder((file) => writeFileSync(file, ''));
const functions = join(folder, '.functions');
mkdirSync(functions);
writeFileSync(join(functions, '_adit'), completionScript('zsh', program()));

const driver = join(import.meta.dirname, '../../../../test/support/zsh-completions.zsh');
const offered = async (typed: string): Promise<string[]> =>
  (await succeed('zsh', ['-f', driver, functions, typed], { cwd: folder })).stdout.split('\n');

scenario('zsh completes commands, flags, their words, files and folders', ['zsh'], async () => {
  for (const each of cases) expectOffer(each, await offered(each.typed));
  expectOffer({ typed: '', all: ['--log-level=debug'] }, await offered('adit egress --log-level=d'));
});

scenario('zsh takes the script by source, too', ['zsh'], async () => {
  const { stdout } = await succeed('zsh', [
    '-f',
    '-c',
    'autoload compinit; compinit -u -D; source "$0"; echo $_comps[adit] $_comps[adit-egress]',
    join(functions, '_adit'),
  ]);
  expect(stdout).toBe('_adit_of_program _adit_of_program\n');
});

test('a help text with brackets and colons stays inside its own', () => {
  expect(completionScript('zsh', program())).toContain('HOST\\:PORT');
});
