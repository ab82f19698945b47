import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { aditCa } from '../../../../test/support/adit-ca.ts';
import { openssl } from '../../../../test/support/openssl.ts';
import { temporaryFolder } from '../../../../test/support/scope.ts';
import { signCommand } from './sign.ts';

const cwd = temporaryFolder();
const sign = (...args: string[]) => aditCa(['sign', ...args], { cwd });
beforeAll(async () => {
  await aditCa(['init', '--trust-domain', 'example.org'], { cwd });
  // A request that asks for far too much.
  await openssl(
    [
      'req',
      '-new',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      'laptop.key',
      '-subj',
      '/CN=root',
      '-addext',
      'subjectAltName=URI:spiffe://example.org/client/root',
      '-addext',
      'basicConstraints=CA:TRUE',
      '-out',
      'laptop.csr',
    ],
    { cwd },
  );
});

test('names and extensions come from the command and never from the request', async () => {
  expect(signCommand().name()).toBe('sign');
  expect(await sign('laptop.csr', '--client', 'laptop', '--group', 'developers')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(
      /^Issued a certificate for the client laptop \(group developers\).*\n {2}laptop\.crt\n {2}ca\.crt\n$/,
    ),
  });
  await openssl(['verify', '-x509_strict', '-purpose', 'sslclient', '-CAfile', 'ca.crt', 'laptop.crt'], { cwd });
  const text = await openssl(['x509', '-in', 'laptop.crt', '-noout', '-text'], { cwd });
  expect(text).toContain('URI:spiffe://example.org/client/laptop, URI:spiffe://example.org/group/developers');
  expect(text).toContain('CA:FALSE');
  expect(text).not.toContain('root');
  expect(await openssl(['x509', '-in', 'laptop.crt', '-noout', '-pubkey'], { cwd })).toBe(
    await openssl(['pkey', '-in', 'laptop.key', '-pubout'], { cwd }),
  );
});
test('the same for an egress', async () => {
  expect(await sign('laptop.csr', '--egress', 'edge', '--host', 'a.example.org')).toMatchObject({ code: 0 });
  await openssl(
    [
      'verify',
      '-x509_strict',
      '-purpose',
      'sslserver',
      '-verify_hostname',
      'a.example.org',
      '-CAfile',
      'ca.crt',
      'edge.crt',
    ],
    { cwd },
  );
});
test('it wants to know whom for, and one kind only', async () => {
  expect(await sign('laptop.csr')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--client NAME or --egress NAME'),
  });
  expect((await sign('laptop.csr', '--client', 'a', '--egress', 'b')).code).toBe(2);
  expect((await sign('laptop.csr', '--client', 'a', '--host', 'b')).code).toBe(2);
});
test('what is no sound request is refused', async () => {
  writeFileSync(join(cwd, 'bad.csr'), 'nonsense');
  expect(await sign('bad.csr', '--client', 'x')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('[REQUEST_INVALID]'),
  });
  expect(await sign('absent.csr', '--client', 'x')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('there is no such file'),
  });
});
