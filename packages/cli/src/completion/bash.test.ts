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
writeFileSync(script, completionScript('bash', program()));

/** Bash splits the line as readline does, with `=` and `:` as words of their own. */
const ask = `
source "$0"
COMP_WORDS=($(sed 's/[=:]/ & /g' <<<"$1")); [[ $1 == *' ' ]] && COMP_WORDS+=('')
COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
$(complete -p "\${COMP_WORDS[0]}" | sed 's/.*-F \\([^ ]*\\).*/\\1/')
printf '%s\\n' "\${COMPREPLY[@]}"`.replaceAll('\\$', '$');
const offered = async (typed: string): Promise<string[]> =>
  (await succeed('bash', ['-c', ask, script, typed], { cwd: folder })).stdout.split('\n');

scenario('bash completes commands, flags, their words, files and folders', ['bash'], async () => {
  for (const each of cases) expectOffer(each, await offered(each.typed));
  expectOffer({ typed: '', all: ['debug'] }, await offered('adit egress --log-level=d'));
  expectOffer({ typed: '', all: ['edge1.crt'] }, await offered('adit egress --listen 127.0.0.1:1 --cert=edge1.c'));
});

test('the script has no name of a hidden flag', () => {
  expect(completionScript('bash', program())).not.toContain('remote-forward');
});
