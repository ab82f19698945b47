/** docs/certificates.md: every command in it is run, in its order, in one folder. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { aditCa } from '../../../../test/support/adit-ca.ts';
import { temporaryFolder } from '../../../../test/support/scope.ts';

const docs = readFileSync(join(import.meta.dirname, '../../../../docs/certificates.md'), 'utf8');

test('every command of docs/certificates.md works, one after the other', async () => {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'passphrase.txt'), 'open sesame\n', { mode: 0o600 });
  writeFileSync(join(cwd, 'password.txt'), 'secret\n', { mode: 0o600 });
  const commands = [...docs.matchAll(/^\$ adit ca (.*)$/gm)].map(([, args]) =>
    args!.replace('/tmp/', `${cwd}/`).split(' '),
  );
  expect(commands.length).toBeGreaterThan(15);
  for (const args of commands) {
    const { code, stderr } = await aditCa(args, { cwd });
    expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' });
  }
});
