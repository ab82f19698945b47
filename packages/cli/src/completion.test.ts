import { expect, test } from '@jest/globals';
import { runHere } from '../../../test/support/in-process-program.ts';
import { temporaryFolder } from '../../../test/support/scope.ts';
import { completionScript, shellNames } from './completion.ts';
import { program } from './program.ts';

const run = (args: readonly string[]) =>
  runHere({ name: 'adit', make: program }, args, { cwd: temporaryFolder(), env: {} });

test.each(shellNames)('adit completion %s prints the script', async (shell) => {
  expect(await run(['completion', shell])).toEqual({ code: 0, stdout: completionScript(shell, program()), stderr: '' });
});

test('another shell is refused', async () => {
  expect(await run(['completion', 'tcsh'])).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/'tcsh' is invalid.*bash, zsh, fish.*\[USAGE\]\n$/),
  });
});
