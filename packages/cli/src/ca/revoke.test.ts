import { join } from 'node:path';
import { beforeEach, expect, test } from '@jest/globals';
import { initAuthority, openStore } from '@adit/pki';
import { aditCa } from '../../../../test/support/adit-ca.ts';
import { openssl } from '../../../../test/support/openssl.ts';
import { temporaryFolder } from '../../../../test/support/scope.ts';
import { revokeCommand } from './revoke.ts';

const check = (name: string, code = 0): Promise<string> =>
  openssl(['verify', '-x509_strict', '-crl_check', '-CRLfile', 'ca/crl.pem', '-CAfile', 'ca.crt', `${name}.crt`], {
    cwd,
    code,
  });
let cwd: string;
let bob: string;
beforeEach(async () => {
  cwd = temporaryFolder();
  await initAuthority(join(cwd, 'ca'));
  const store = openStore(join(cwd, 'ca'));
  await store.issueClient({ name: 'alice' }, { out: cwd });
  ({ serial: bob } = await store.issueClient({ name: 'bob' }, { out: cwd }));
  await store.issueClient({ name: 'carol' }, { out: cwd });
});

test('by name and by serial, and the list says so at once', async () => {
  expect(revokeCommand().name()).toBe('revoke');
  await check('alice');
  expect(await aditCa(['revoke', 'alice', '--reason', 'key-compromise'], { cwd })).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^Revoked client alice, serial [0-9A-F]+\nWrote ca\/crl\.pem: .*--crl\.\n$/),
  });
  await aditCa(['revoke', bob.toLowerCase()], { cwd });
  expect(await check('alice', 2)).toContain('certificate revoked');
  expect(await check('bob', 2)).toContain('certificate revoked');
  expect(await check('carol')).toContain('OK');
});
test('again is no failure; somebody unknown and an unknown reason are', async () => {
  await aditCa(['revoke', 'alice'], { cwd });
  expect(await aditCa(['revoke', 'alice'], { cwd })).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^Was revoked before: client alice/),
  });
  expect(await aditCa(['revoke', 'nobody'], { cwd })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('[NOT_FOUND]'),
  });
  expect(await aditCa(['revoke', 'carol', '--reason', 'dislike'], { cwd })).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('There are unspecified, keyCompromise'),
  });
});
