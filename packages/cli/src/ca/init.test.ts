import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { aditCa } from '../../../../test/support/adit-ca.ts';
import { openssl } from '../../../../test/support/openssl.ts';
import { temporaryFolder } from '../../../../test/support/scope.ts';
import { initCommand } from './init.ts';

const cwd = temporaryFolder();

test('it says what it made, and openssl agrees', async () => {
  expect(initCommand().name()).toBe('init');
  const { code, stdout } = await aditCa(
    [
      'init',
      '--trust-domain',
      'example.org',
      '--days',
      '10',
      '--permit-dns',
      'example.org',
      '--permit-uri',
      'example.org',
    ],
    { cwd },
  );
  expect(code).toBe(0);
  expect(stdout.split('\n')).toEqual([
    expect.stringMatching(/^Made a CA for the trust domain example\.org, valid until ./),
    '  certificate  ca/ca.crt',
    '  key          ca/ca.key (not encrypted: whoever reads it can issue identities)',
    '',
  ]);
  await openssl(['verify', '-x509_strict', '-CAfile', 'ca/ca.crt', 'ca/ca.crt'], { cwd });
  expect(await openssl(['x509', '-in', 'ca/ca.crt', '-noout', '-ext', 'nameConstraints'], { cwd })).toMatch(
    /DNS:example\.org[^]*URI:example\.org/,
  );
});
test('a CA is never overwritten', async () => {
  const folder = join(cwd, 'kept');
  await aditCa(['init', '--dir', folder]);
  const before = readFileSync(join(folder, 'ca.key'));
  expect(await aditCa(['init', '--dir', folder])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('[CA_EXISTS]'),
  });
  expect(readFileSync(join(folder, 'ca.key')).equals(before)).toBe(true);
});
test('a passphrase from a file or the environment encrypts the key', async () => {
  writeFileSync(join(cwd, 'pass'), 'open sesame\n', { mode: 0o600 });
  expect((await aditCa(['init', '--dir', 'a', '--passphrase-file', 'pass'], { cwd })).stdout).toContain('(encrypted)');
  await aditCa(['init', '--dir', 'b'], { cwd, env: { ADIT_CA_PASSPHRASE: 'open sesame' } });
  for (const folder of ['a', 'b'])
    await openssl(['pkey', '-in', `${folder}/ca.key`, '-passin', 'pass:open sesame', '-noout'], { cwd });
});
test('unusable flags are refused with status 2', async () => {
  for (const args of [
    ['--trust-domain', 'Example.org'],
    ['--days', '0'],
    ['--permit-uri', 'example.com'],
  ])
    expect((await aditCa(['init', '--dir', 'bad', ...args], { cwd })).code).toBe(2);
});
