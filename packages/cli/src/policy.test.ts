import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AditError } from '@adit/shared/errors';
import { policyCommand } from './policy.ts';

const folder = mkdtempSync(join(tmpdir(), 'adit-policy-command-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** The command as a program of its own: what the real one does, an error is its message and its exit status. */
const program = `
const { policyCommand } = await import(${JSON.stringify(pathToFileURL(join(import.meta.dirname, 'policy.ts')).href)});
try { await policyCommand().parseAsync(process.argv.slice(1), { from: 'user' }); }
catch (error) { console.error(error.message); process.exitCode = error.exitStatus; }`;

interface Result {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}
const run = (...args: string[]): Promise<Result> =>
  new Promise((resolve) => {
    execFile(
      process.execPath,
      [
        '--conditions=@adit/source',
        '--disable-warning=ExperimentalWarning',
        '--input-type=module',
        '-e',
        program,
        '--',
        ...args,
      ],
      { cwd: folder },
      (error, out, err) => {
        resolve({ status: error === null ? 0 : Number(error.code), out, err });
      },
    );
  });

/** What the command fails with, in this process. */
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
      status: 0,
      out: 'policy.yaml: 1 rule, 1 service, 2 tests passed\n',
      err: '',
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

describe('adit policy explain', () => {
  it('exits with 0 where the policy allows', async () => {
    expect(
      await run('explain', 'policy.yaml', '--identity', 'bob', '--group', 'ops', '--group', 'developers', 'web'),
    ).toEqual({
      status: 0,
      err: '',
      out: 'allow: rule "developers" (policy.yaml:6:13, "web") allows it\n  it is 10.0.0.5 port 80\n',
    });
  });

  it('exits with 1 where the policy denies', async () => {
    expect(
      await run('explain', 'policy.yaml', '--identity', 'alice', '--address', '127.0.0.1', 'db.internal:5432'),
    ).toMatchObject({ status: 1, err: '', out: expect.stringMatching(/^deny \(ADDRESS_PROHIBITED\): /) });
  });

  it.each([
    ['db.internal', [], 'The destination "db.internal" is not usable: the port is missing: write HOST:PORT.'],
    ['web', ['--identity', '*'], '--identity "*" is not NAME, group:GROUP or spiffe://TRUST-DOMAIN/client/NAME.'],
    ['web', ['--address', '10.1'], '--address "10.1" is not an IP address.'],
  ])('refuses what it cannot ask about: %s %j', async (destination, more, message) => {
    await expect(
      refused('explain', join(folder, 'policy.yaml'), '--identity', 'alice', ...more, destination),
    ).resolves.toEqual({ code: 'USAGE', exitStatus: 2, message });
  });
});
