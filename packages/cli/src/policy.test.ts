import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AditError } from '@adit/shared/errors';
import { type Ended, runHere } from '../../../test/support/in-process-program.ts';
import { policyCommand } from './policy.ts';

const folder = mkdtempSync(join(tmpdir(), 'adit-policy-command-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const run = (...args: string[]): Promise<Ended> =>
  runHere({ name: 'adit', make: policyCommand }, args, { cwd: folder });

/** What the command fails with. */
const refused = async (...args: string[]): Promise<Pick<AditError, 'code' | 'exitStatus' | 'message'>> => {
  const error: unknown = await policyCommand()
    .parseAsync(args, { from: 'user' })
    .catch((thrown: unknown) => thrown);
  if (!(error instanceof AditError)) throw new Error('the command did not fail as it should', { cause: error });
  const { code, exitStatus, message } = error;
  return { code, exitStatus, message };
};
const broken = join(folder, 'broken.yaml');

beforeAll(() => {
  writeFileSync(
    join(folder, 'policy.yaml'),
    `version: 1
services: { web: "tcp://10.0.0.5:80" }
rules:
  - name: developers
    identities: [alice, "group:developers", "spiffe://example.org/client/ci-*"]
    allow: [web, "db.internal:5432", "10.0.0.0/8:22"]
tests:
  - { identity: alice, destination: web, expect: allow }
  - { identity: bob, destination: web, expect: deny }
`,
  );
  writeFileSync(broken, 'version: 1\nrule: []\nrules: [{ name: r, identities: [a], allow: [wbe] }]\n');
});

describe('adit policy check', () => {
  it('says what a good file holds', async () => {
    expect(await run('check', 'policy.yaml')).toEqual({
      code: 0,
      stdout: 'policy.yaml: 1 rule, 1 service, 2 tests passed\n',
      stderr: '',
    });
  });

  it('says all that is wrong with a bad one', async () => {
    await expect(refused('check', broken)).resolves.toEqual({
      code: 'POLICY_INVALID',
      exitStatus: 2,
      message:
        `${broken}:2:1: unknown key "rule": did you mean "rules"?\n` +
        `${broken}:3:45: "wbe": no service of that name is defined`,
    });
    await expect(refused('check', join(folder, 'absent.yaml'))).resolves.toMatchObject({ code: 'POLICY_INVALID' });
  });
});

describe('adit policy check, of the files that a policy names', () => {
  it('says which one is not usable, and where the policy names it', async () => {
    const named = join(folder, 'named.yaml');
    writeFileSync(
      named,
      `version: 1
services: { web: { backends: ["tls://10.0.0.5:443"], tls: { ca: absent.crt } } }
rules: [{ name: r, identities: [a], allow: [web] }]
`,
    );
    expect(await run('check', named)).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(
        /^adit: the service web: .*absent\.crt.*Check "tls" of the service web in the policy\. \[CONFIG_INVALID\]\n$/,
      ),
    });
  });
});

describe('adit policy explain', () => {
  it('exits with 0 where the policy allows', async () => {
    expect(
      await run('explain', 'policy.yaml', '--identity', 'bob', '--group', 'ops', '--group', 'developers', 'web'),
    ).toEqual({
      code: 0,
      stderr: '',
      stdout: 'allow: rule "developers" (policy.yaml:6:13, "web") allows it\n  it is 10.0.0.5 port 80\n',
    });
  });

  it('exits with 1 where the policy denies', async () => {
    expect(
      await run('explain', 'policy.yaml', '--identity', 'alice', '--address', '127.0.0.1', 'db.internal:5432'),
    ).toMatchObject({ code: 1, stderr: '', stdout: expect.stringMatching(/^deny \(ADDRESS_PROHIBITED\): /) });
  });

  it.each([
    ['db.internal', [], 'The destination "db.internal" is not usable: the port is missing: write HOST:PORT.'],
    [
      'tcp://db.internal:5432',
      [],
      'The destination "tcp://db.internal:5432" is not usable: tcp:// is not written: write HOST:PORT alone.',
    ],
    ['web', ['--identity', '*'], '--identity "*" is not NAME, group:GROUP or spiffe://TRUST-DOMAIN/client/NAME.'],
    ['web', ['--address', '10.1'], '--address "10.1" is not an IP address.'],
  ])('refuses what it cannot ask abstdout: %s %j', async (destination, more, message) => {
    await expect(
      refused('explain', join(folder, 'policy.yaml'), '--identity', 'alice', ...more, destination),
    ).resolves.toEqual({ code: 'USAGE', exitStatus: 2, message });
  });
});
