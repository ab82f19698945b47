import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

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
const runIn = (cwd: string, ...args: string[]): Promise<Result> =>
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
      { cwd },
      (error, out, err) => {
        resolve({ status: error === null ? 0 : Number(error.code), out, err });
      },
    );
  });
const run = (...args: string[]): Promise<Result> => runIn(folder, ...args);
const runWith = (policy: string, ...args: string[]): Promise<Result> => {
  const own = mkdtempSync(join(folder, 'own-'));
  writeFileSync(join(own, 'policy.yaml'), policy);
  return runIn(own, ...args);
};

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
  writeFileSync(
    join(folder, 'broken.yaml'),
    'version: 1\nrule: []\nrules: [{ name: r, identities: [a], allow: [wbe] }]\n',
  );
});

describe('adit policy check', () => {
  it('says what a good file holds', async () => {
    expect(await run('check', 'policy.yaml')).toEqual({
      status: 0,
      out: 'policy.yaml: 1 rule, 1 service, 2 tests passed\n',
      err: '',
    });
  });

  it('names the backends of a service that has several, and how one is chosen', async () => {
    const policy =
      'version: 1\nservices: { web: { backends: ["a.internal:80", { address: "unix:/run/b", weight: 0 }], ' +
      'balance: source, health: {} }, one: "tcp://c.internal:1" }\nrules: []\n';
    expect(await runWith(policy, 'check', 'policy.yaml')).toMatchObject({
      status: 0,
      out:
        'policy.yaml: 0 rules, 2 services, 0 tests passed\n' +
        '  web: 2 backends, always the same for one identity (source); checked every 5s: tcp://a.internal:80; ' +
        'unix:/run/b, weight 0: no new connections\n',
    });
  });

  it('says all that is wrong with a bad one, and exits with 2', async () => {
    expect(await run('check', 'broken.yaml')).toEqual({
      status: 2,
      out: '',
      err:
        'broken.yaml:2:1: unknown key "rule": did you mean "rules"?\n' +
        'broken.yaml:3:45: "wbe": no service of that name is defined\n',
    });
    expect(await run('check', 'absent.yaml')).toMatchObject({ status: 2, out: '' });
  });
});

describe('adit policy explain', () => {
  it('shows every backend of a service, what becomes of its addresses, and which are not for this identity', async () => {
    const policy =
      'version: 1\nservices:\n  web: { backends: ["tcp://10.0.0.1:80", { address: "tls://b.internal:443", ' +
      'weight: 3 }, "unix:/run/c", "tcp://10.0.9.1:80"], health: { interval: 1s }, proxy-protocol: v2 }\nrules:\n' +
      '  - { name: r, identities: [alice], allow: [web], deny: ["10.0.9.0/24:*"] }\n';
    expect(await runWith(policy, 'explain', 'policy.yaml', '--identity', 'alice', 'web')).toEqual({
      status: 0,
      err: '',
      out: `allow: rule "r" (policy.yaml:5:45, "web") allows it
  it is one of 4 backends, in turns (round-robin); checked every 1s:
    tcp://10.0.0.1:80
    tls://b.internal:443, weight 3
      each address that b.internal resolves to is judged too: public (93.184.215.14) passes, private (10.255.254.253) passes, loopback (127.0.0.1) does not, metadata (169.254.169.254) does not
    unix:/run/c
    tcp://10.0.9.1:80: not for this identity
  it is told who came by PROXY protocol v2
`,
    });
    expect((await runWith(policy, 'explain', 'policy.yaml', '--identity', 'bob', 'web')).status).toBe(1);
  });

  it('takes a destination over TLS for what it is without', async () => {
    const { out, status } = await run('explain', 'policy.yaml', '--identity', 'alice', 'tls://10.1.2.3:22');
    expect([status, out]).toEqual([0, expect.stringContaining('"10.0.0.0/8:22") allows it')]);
  });

  it('says which rule allows, and what becomes of the addresses of a name', async () => {
    expect(await run('explain', 'policy.yaml', '--identity', 'alice', 'db.internal:5432')).toEqual({
      status: 0,
      err: '',
      out:
        'allow: rule "developers" (policy.yaml:6:18, "db.internal:5432") allows it\n' +
        '  each address that db.internal resolves to is judged too: public (93.184.215.14) passes, private ' +
        '(10.255.254.253) passes, loopback (127.0.0.1) does not, metadata (169.254.169.254) does not\n',
    });
    expect(
      await run('explain', 'policy.yaml', '--identity', 'bob', '--group', 'ops', '--group', 'developers', 'web'),
    ).toEqual({
      status: 0,
      err: '',
      out: 'allow: rule "developers" (policy.yaml:6:13, "web") allows it\n  it is 10.0.0.5 port 80\n',
    });
  });

  it('says why not, and what the client hears, and exits with 1', async () => {
    expect(await run('explain', 'policy.yaml', '--identity', 'alice', '10.0.0.1:23')).toEqual({
      status: 1,
      err: '',
      out:
        'deny (POLICY_DENIED): rule "developers" (policy.yaml:6:38, "10.0.0.0/8:22") comes nearest, with other ' +
        'ports\n  the client is told: The policy of the egress does not allow alice to reach 10.0.0.1:23.\n',
    });
    expect(
      await run('explain', 'policy.yaml', '--identity', 'alice', '--address', '127.0.0.1', 'db.internal:5432'),
    ).toMatchObject({ status: 1 });
  });

  it('refuses what it cannot ask about, and exits with 2', async () => {
    expect(await run('explain', 'policy.yaml', '--identity', 'alice', 'db.internal')).toMatchObject({
      status: 2,
      err: 'The destination "db.internal" is not usable: the port is missing: write HOST:PORT.\n',
    });
    expect(await run('explain', 'policy.yaml', '--identity', '*', 'web')).toMatchObject({ status: 2 });
    expect(await run('explain', 'policy.yaml', '--identity', 'alice', '--address', '10.1', 'web')).toMatchObject({
      status: 2,
    });
  });
});

describe('docs/policy.md', () => {
  it('shows what the command does', async () => {
    const docs = readFileSync(join(import.meta.dirname, '../../../docs/policy.md'), 'utf8');
    const [policy, tests] = [...docs.matchAll(/```yaml\n(.*?)```/gs)].map((match) => match[1]!);
    const { out: checked } = await runWith(`${policy!}${tests!.replace('tests:\n', '')}`, 'check', 'policy.yaml');
    expect(checked).toBe('policy.yaml: 1 rule, 1 service, 6 tests passed\n');
    const shown = [...docs.matchAll(/^\$ adit policy (explain|check) policy\.yaml(.*)\n((?:(?!```|\$|\n).*\n)+)/gm)];
    expect(shown).toHaveLength(3);
    for (const [, command, args, expected] of shown)
      expect((await runWith(policy!, command!, 'policy.yaml', ...args!.split(' ').filter(Boolean))).out).toBe(expected);
  });
});
