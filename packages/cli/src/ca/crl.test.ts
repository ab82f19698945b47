import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { aditCa } from '../../../../test/support/adit-ca.ts';
import { openssl } from '../../../../test/support/openssl.ts';
import { temporaryFolder } from '../../../../test/support/scope.ts';
import { crlCommand } from './crl.ts';

test('it writes a version 2 list whose number goes up, and prints where', async () => {
  expect(crlCommand().name()).toBe('crl');
  const cwd = temporaryFolder();
  await aditCa(['init'], { cwd });
  expect(await aditCa(['crl'], { cwd })).toMatchObject({ code: 0, stdout: 'ca/crl.pem\n' });
  expect(await aditCa(['crl', '--out', 'list.pem', '--days', '3'], { cwd })).toMatchObject({
    code: 0,
    stdout: 'list.pem\n',
  });
  const text = await openssl(['crl', '-in', 'list.pem', '-CAfile', 'ca/ca.crt', '-noout', '-text'], { cwd });
  expect(text).toMatch(/verify OK/);
  expect(text).toMatch(/Version 2 \(0x1\)[^]*CRL Number: \n\s+3\n/);
  expect(readFileSync(join(cwd, 'list.pem')).equals(readFileSync(join(cwd, 'ca/crl.pem')))).toBe(true);
  expect(await aditCa(['crl', '--out', 'no/list.pem'], { cwd })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('[FILE_UNREADABLE]'),
  });
  expect(existsSync(join(cwd, 'no'))).toBe(false);
  const key = readFileSync(join(cwd, 'ca/ca.key'));
  expect(await aditCa(['crl', '--out', 'ca/ca.key'], { cwd })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('The file ca/ca.key is there already and is not a revocation list.'),
  });
  expect(readFileSync(join(cwd, 'ca/ca.key')).equals(key)).toBe(true);
});
