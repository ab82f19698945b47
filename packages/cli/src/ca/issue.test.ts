import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { aditCa } from '../../../../test/support/adit-ca.ts';
import { openssl } from '../../../../test/support/openssl.ts';
import { temporaryFolder } from '../../../../test/support/scope.ts';
import { issueCommand } from './issue.ts';

const cwd = temporaryFolder();
const issue = (...args: string[]) => aditCa(['issue', ...args], { cwd });
beforeAll(async () => {
  await aditCa(['init', '--trust-domain', 'example.org'], { cwd });
});

test('a client gets key, certificate and CA, and openssl accepts it as one', async () => {
  expect(issueCommand().commands.map((command) => command.name())).toEqual(['client', 'egress']);
  const { code, stdout } = await issue('client', 'alice', '--group', 'developers', '--group', 'ops');
  expect(code).toBe(0);
  expect(stdout.split('\n')).toEqual([
    expect.stringMatching(
      /^Issued a certificate for the client alice \(groups developers, ops\), serial [0-9A-F]+, valid until ./,
    ),
    '  alice.key',
    '  alice.crt',
    '  ca.crt',
    '',
  ]);
  expect(statSync(join(cwd, 'alice.key')).mode & 0o777).toBe(0o600);
  await openssl(['verify', '-x509_strict', '-purpose', 'sslclient', '-CAfile', 'ca.crt', 'alice.crt'], { cwd });
  expect(await openssl(['x509', '-in', 'alice.crt', '-noout', '-ext', 'subjectAltName'], { cwd })).toContain(
    'URI:spiffe://example.org/client/alice, URI:spiffe://example.org/group/developers, ' +
      'URI:spiffe://example.org/group/ops',
  );
});
test('an egress gets its hosts, and openssl accepts it as a server', async () => {
  expect(
    await issue(
      'egress',
      'edge1',
      '--host',
      'tunnel.example.org',
      '--host',
      '127.0.0.1',
      '--out',
      'edge',
      '--days',
      '7',
    ),
  ).toMatchObject({ code: 0 });
  expect(readdirSync(join(cwd, 'edge')).sort()).toEqual(['ca.crt', 'edge1.crt', 'edge1.key']);
  await openssl(
    [
      'verify',
      '-x509_strict',
      '-purpose',
      'sslserver',
      '-verify_ip',
      '127.0.0.1',
      '-CAfile',
      'ca.crt',
      'edge/edge1.crt',
    ],
    { cwd },
  );
  await openssl(['x509', '-in', 'edge/edge1.crt', '-noout', '-checkend', String(8 * 86_400)], { cwd, code: 1 });
  expect(await issue('egress', 'edge2')).toMatchObject({ code: 2, stderr: expect.stringContaining('has no host') });
});
test('a second certificate needs --renew, which replaces both files and keeps the groups', async () => {
  await issue('client', 'bob', '--group', 'ops');
  const before = ['bob.key', 'bob.crt'].map((name) => readFileSync(join(cwd, name), 'utf8'));
  expect(await issue('client', 'bob')).toMatchObject({ code: 1, stderr: expect.stringContaining('[NAME_TAKEN]') });
  expect((await issue('client', 'bob', '--renew')).stdout).toContain('the client bob (group ops)');
  for (const [index, name] of ['bob.key', 'bob.crt'].entries())
    expect(readFileSync(join(cwd, name), 'utf8')).not.toBe(before[index]);
  await openssl(['verify', '-CAfile', 'ca.crt', 'bob.crt'], { cwd });
});
test('after a revocation, --renew and a plain issue name the way back, which keeps the groups', async () => {
  await issue('client', 'erin', '--group', 'ops');
  await aditCa(['revoke', 'erin'], { cwd });
  const pointer = '"adit ca issue client erin --reinstate" issues a new one with its groups (ops);';
  for (const [args, code] of [
    [['--renew'], '[NOT_FOUND]'],
    [[], '[FILE_EXISTS]'],
  ] as const) {
    const { code: status, stderr } = await issue('client', 'erin', ...args);
    expect([status, stderr]).toEqual([1, expect.stringContaining(pointer)]);
    expect(stderr).toContain(code);
  }
  expect((await issue('client', 'erin', '--reinstate')).stdout).toContain('the client erin (group ops)');
  await openssl(['verify', '-CAfile', 'ca.crt', 'erin.crt'], { cwd });
  const states = (await aditCa(['list'], { cwd })).stdout.split('\n').filter((line) => line.startsWith('erin'));
  expect(states).toEqual([expect.stringContaining('revoked'), expect.stringContaining('valid')]);
  expect(await issue('client', 'erin', '--reinstate', '--renew')).toMatchObject({ code: 2 });
});
test('a plain issue elsewhere after a revocation gives no groups, and says how to get them', async () => {
  await issue('client', 'frank', '--group', 'ops');
  await aditCa(['revoke', 'frank'], { cwd });
  const { code, stdout } = await issue('client', 'frank', '--out', 'elsewhere');
  expect([code, stdout]).toEqual([0, expect.stringContaining('the client frank, serial')]);
  const command = 'adit ca issue client frank --renew --group ops';
  expect(stdout).toContain(`The last certificate of this name was revoked. "${command}" issues one with its groups.`);
  const again = await issue(...command.split(' ').slice(3), '--out', 'elsewhere');
  expect([again.code, again.stdout]).toEqual([0, expect.stringContaining('the client frank (group ops)')]);
});
test('key files are never overwritten', async () => {
  writeFileSync(join(cwd, 'carol.key'), 'precious');
  expect(await issue('client', 'carol')).toMatchObject({
    code: 1,
    stdout: '',
    stderr:
      'adit: The file carol.key is there already. Choose another --out, or move the old file away; keys are ' +
      'never overwritten. [FILE_EXISTS]\n',
  });
  expect(readFileSync(join(cwd, 'carol.key'), 'utf8')).toBe('precious');
});
test('PKCS#12 gets its password from a file or the environment, and without one nothing is issued', async () => {
  writeFileSync(join(cwd, 'pw'), 'secret\n', { mode: 0o600 });
  expect(await issue('client', 'dave', '--p12', 'dave.p12')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('ADIT_P12_PASSWORD'),
  });
  expect(await issue('client', 'dave', '--p12', 'dave.p12', '--p12-password-file', 'pw')).toMatchObject({ code: 0 });
  expect(await openssl(['pkcs12', '-in', 'dave.p12', '-passin', 'file:pw', '-nokeys'], { cwd })).toContain(
    'friendlyName: dave',
  );
  expect(statSync(join(cwd, 'dave.p12')).mode & 0o777).toBe(0o600);
});
