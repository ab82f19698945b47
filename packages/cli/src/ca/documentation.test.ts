/** docs/certificates.md: every command in it is run, in its order, in one folder. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from '@jest/globals';
import { run } from '../../../../test/support/child.ts';
import { temporaryFolder } from '../../../../test/support/scope.ts';

const docs = readFileSync(join(import.meta.dirname, '../../../../docs/certificates.md'), 'utf8');

test('every command of docs/certificates.md works, one after the other', async () => {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'passphrase.txt'), 'open sesame\n');
  writeFileSync(join(cwd, 'password.txt'), 'secret\n');
  const commands = [...docs.matchAll(/^\$ adit ca (.*)$/gm)].map(([, args]) =>
    args!.replace('/tmp/', `${cwd}/`).split(' '),
  );
  expect(commands.length).toBeGreaterThan(15);
  // In one process: starting one for each takes longer than all that they do.
  const finished = await run(
    process.execPath,
    [
      '--conditions=@adit/source',
      '--disable-warning=ExperimentalWarning',
      '--input-type=module',
      '-e',
      `
    const { caCommand } = await import(${JSON.stringify(pathToFileURL(join(import.meta.dirname, '../ca.ts')).href)});
    for (const args of ${JSON.stringify(commands)}) {
      try { await caCommand().parseAsync(args, { from: 'user' }); } catch (error) { throw new Error(args.join(' '), { cause: error }); }
      if (process.exitCode) throw new Error(args.join(' ') + ' ends with ' + process.exitCode);
    }`,
    ],
    { cwd },
  );
  expect(finished).toMatchObject({ code: 0, stderr: '' });
});
