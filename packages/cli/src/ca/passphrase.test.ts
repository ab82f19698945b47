import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { aditCa } from '../../../../test/support/adit-ca.ts';
import { temporaryFolder } from '../../../../test/support/scope.ts';
import { newPassphrase, p12Password, passphraseSource } from './passphrase.ts';

const folder = temporaryFolder();
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text, { mode: 0o600 });
  return join(folder, name);
};
const before = { ...process.env };
beforeEach(() => {
  delete process.env['ADIT_CA_PASSPHRASE'];
  delete process.env['ADIT_P12_PASSWORD'];
});
afterEach(() => {
  process.env = { ...before };
});

test('a secret is the first line of its file, or the variable; the file wins', async () => {
  expect(await newPassphrase({ passphraseFile: file('a', 'open sesame\r\nmore\n') })).toBe('open sesame');
  expect(await p12Password(file('b', 'no newline'))).toBe('no newline');
  process.env['ADIT_CA_PASSPHRASE'] = 'by variable';
  process.env['ADIT_P12_PASSWORD'] = 'p12';
  expect(await passphraseSource({})()).toBe('by variable');
  expect(await passphraseSource({ passphraseFile: file('a', 'by file') })()).toBe('by file');
  expect(await newPassphrase({})).toBe('by variable');
  expect(await p12Password(undefined)).toBe('p12');
});
test('a new key has no passphrase unless asked for', async () => {
  expect(await newPassphrase({})).toBeUndefined();
});
test('an empty or unreadable secret is refused', async () => {
  await expect(newPassphrase({ passphraseFile: file('e', '\n') })).rejects.toMatchObject({ code: 'CA_PASSPHRASE' });
  await expect(p12Password(file('e', ''))).rejects.toMatchObject({ code: 'USAGE' });
  await expect(newPassphrase({ passphraseFile: join(folder, 'absent') })).rejects.toMatchObject({
    code: 'FILE_UNREADABLE',
  });
});
test.each(['--passphrase-file', '--p12-password-file'])(
  'the file of %s that others may read is refused',
  async (flag) => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'secret'), 'hunter2\n', { mode: 0o644 });
    if (flag === '--p12-password-file') await aditCa(['init'], { cwd });
    const args = flag === '--passphrase-file' ? ['init'] : ['issue', 'client', 'a', '--p12', 'a.p12'];

    const refused = await aditCa([...args, flag, 'secret'], { cwd });

    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /secret has mode 0644, so others may use it: run "chmod 600 secret".*FILE_UNREADABLE/,
      ),
    });
    expect(refused.stderr).not.toContain('hunter2');
  },
);
test('without a terminal nothing is asked, and the reason is said', async () => {
  expect(await aditCa(['init', '--passphrase'], { cwd: folder })).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/no terminal to ask for it.*\[CA_PASSPHRASE\]\n$/),
  });
  await aditCa(['init'], { cwd: folder, env: { ADIT_CA_PASSPHRASE: 'hunter2' } });
  const refused = await aditCa(['issue', 'client', 'a'], { cwd: folder });
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('[CA_PASSPHRASE]') });
  expect(
    (await aditCa(['issue', 'client', 'a'], { cwd: folder, env: { ADIT_CA_PASSPHRASE: 'hunter3' } })).stderr,
  ).not.toContain('hunter');
  expect(await aditCa(['list'], { cwd: folder })).toMatchObject({ code: 0 });
});
