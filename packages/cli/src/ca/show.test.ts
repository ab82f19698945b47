import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { initAuthority, openStore } from '@adit/pki';
import { aditCa } from '../../../../test/support/adit-ca.ts';
import { temporaryFolder } from '../../../../test/support/scope.ts';
import { showCommand } from './show.ts';

test('it explains each file, and exits 1 when something is wrong with it', async () => {
  expect(showCommand().name()).toBe('show');
  const cwd = temporaryFolder();
  await initAuthority(join(cwd, 'ca'), { trustDomain: 'example.org' });
  const store = openStore(join(cwd, 'ca'));
  await store.issueClient({ name: 'alice', groups: ['dev'] }, { out: cwd });
  expect(await aditCa(['show', 'alice.crt'], { cwd })).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(
      /^certificate of the client alice\n[^]* {2}groups +dev\n[^]*Nothing is wrong with it by itself\.\n$/,
    ),
  });
  expect(await aditCa(['show', 'ca/crl.pem'], { cwd })).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('no certificate'),
  });
  chmodSync(join(cwd, 'alice.key'), 0o644);
  expect(await aditCa(['show', 'alice.key'], { cwd })).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('WRONG: Its file has mode 0644'),
  });
  expect(await aditCa(['show', 'absent'], { cwd })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('[FILE_UNREADABLE]'),
  });
});
