import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { cases, completionFolder, expectOffer } from '../../../../test/support/completions.ts';
import { succeed } from '../../../../test/support/child.ts';
import { scenario } from '../../../../test/support/scenario.ts';
import { completionScript } from '../completion.ts';
import { program } from '../program.ts';

const folder = completionFolder((file) => writeFileSync(file, ''));
const script = join(folder, '.completion');
writeFileSync(script, completionScript('fish', program()));

const offered = async (typed: string): Promise<string[]> =>
  (
    await succeed('fish', ['--no-config', '-c', 'source $argv[1]; complete -C $argv[2]', script, typed], {
      cwd: folder,
    })
  ).stdout
    .split('\n')
    .map((line) => line.split('\t')[0]!);

scenario('fish completes commands, flags, their words, files and folders', ['fish'], async () => {
  for (const each of cases) expectOffer(each, await offered(each.typed));
  expectOffer({ typed: '', all: ['--log-level=debug'] }, await offered('adit egress --log-level=d'));
});

test('a quote in a help text does not end it', () => {
  expect(completionScript('fish', program())).toContain("-d 'say whether an identity may reach a destination");
});
