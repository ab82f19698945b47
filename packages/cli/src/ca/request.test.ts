import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { aditCa } from '../../../../test/support/adit-ca.ts';
import { openssl } from '../../../../test/support/openssl.ts';
import { temporaryFolder } from '../../../../test/support/scope.ts';
import { requestCommand } from './request.ts';

const cwd = temporaryFolder();

test('it makes a key and a request that openssl verifies, without a CA', async () => {
  expect(requestCommand().name()).toBe('request');
  expect(await aditCa(['request', 'laptop', '--out', 'new'], { cwd })).toMatchObject({
    code: 0,
    stdout: '  new/laptop.key  stays here\n  new/laptop.csr  goes to the CA: adit ca sign laptop.csr --client laptop\n',
  });
  expect(await openssl(['req', '-verify', '-noout', '-in', 'new/laptop.csr'], { cwd })).toContain('verify OK');
  expect(statSync(join(cwd, 'new/laptop.key')).mode & 0o777).toBe(0o600);
  const before = readFileSync(join(cwd, 'new/laptop.key'));
  expect(await aditCa(['request', 'laptop', '--out', 'new'], { cwd })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('[FILE_EXISTS]'),
  });
  expect(readFileSync(join(cwd, 'new/laptop.key')).equals(before)).toBe(true);
});
test('an unusable name is refused', async () => {
  expect(await aditCa(['request', '../x'], { cwd })).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('[NAME_INVALID]'),
  });
});
