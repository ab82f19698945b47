import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { egressSettings } from './options.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'adit-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** The real program `adit-egress`. */
function run(
  args: readonly string[],
  environment: Record<string, string> = {},
): { status: number | null; stdout: string; stderr: string } {
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('ADIT_')));
  return spawnSync(
    process.execPath,
    ['--conditions=@adit/source', fileURLToPath(new URL('./main.ts', import.meta.url)), ...args],
    { cwd: folder, encoding: 'utf8', env: { ...inherited, ...environment } },
  );
}

describe('adit-egress', () => {
  test('explains every flag, with examples', () => {
    const { status, stdout, stderr } = run(['--help']);
    expect([status, stderr]).toEqual([0, '']);
    for (const { name } of Object.values(egressSettings)) expect(stdout).toContain(`--${name}`);
    expect(stdout).toMatch(/^Usage: adit-egress /);
    expect(stdout).toContain('adit egress --listen 0.0.0.0:8443');
  });
  test('says its version', () => {
    expect(run(['--version'])).toMatchObject({ status: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });
  test('refuses an unknown flag with a suggestion', () => {
    expect(run(['--lissten', 'a'])).toMatchObject({
      status: 2,
      stdout: '',
      stderr: "adit-egress: unknown option '--lissten' (Did you mean --listen?). See --help. [USAGE]\n",
    });
  });
  test('refuses an argument that is no flag', () => {
    expect(run(['edge.yaml'])).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/^adit-egress: too many arguments[^\n]*\[USAGE\]\n$/),
    });
  });
  test('names every missing value in one line', () => {
    expect(run(['--cert', 'x'])).toMatchObject({
      status: 2,
      stderr:
        'adit-egress: --key, --client-ca and --policy are required: give them there, as ADIT_KEY, ' +
        'ADIT_CLIENT_CA and ADIT_POLICY in the environment, or as "key:", "client-ca:" and "policy:" in the ' +
        'file of --config. See --help. [USAGE]\n',
    });
  });
  test('refuses an unknown key with file, line, column and suggestion', () => {
    writeFileSync(join(folder, 'edge.yaml'), 'cert: a\nkey: b\nclient-ca: c\npolicy: d\nlissten: 127.0.0.1:0\n');
    expect(run(['--config', 'edge.yaml'])).toMatchObject({
      status: 2,
      stderr:
        'adit-egress: edge.yaml:5:1: the key "lissten" is unknown; did you mean "listen"? Remove the key or ' +
        'correct its spelling. [CONFIG_UNKNOWN_KEY]\n',
    });
  });
  test('refuses an unknown variable with a suggestion', () => {
    expect(run(['--cert', 'a', '--key', 'b', '--client-ca', 'c', '--policy', 'd'], { ADIT_LISTN: '1' })).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('"ADIT_LISTN" is unknown; did you mean ADIT_LISTEN? '),
    });
  });
  test('takes the flag before the variable, the variable before the file', () => {
    writeFileSync(
      join(folder, 'edge.yaml'),
      'listen: 127.0.0.1:0\ncert: file.crt\nkey: file.crt\nclient-ca: file.crt\npolicy: file.crt\n',
    );
    const variables = Object.fromEntries(
      ['CERT', 'KEY', 'CLIENT_CA', 'POLICY'].map((name) => [`ADIT_${name}`, 'variable.crt']),
    );
    const flags = ['--cert', 'flag.crt', '--key', 'flag.crt', '--client-ca', 'flag.crt', '--policy', 'flag.crt'];
    const file = ['--config', 'edge.yaml', '--check'];
    for (const [args, environment, read] of [
      [file, {}, 'file'],
      [file, variables, 'variable'],
      [[...file, ...flags], variables, 'flag'],
    ] as const) {
      const { status, stderr } = run(args, environment);
      expect(stderr).toMatch(new RegExp(`^adit-egress: .*${read}\\.crt.*\\n$`));
      expect(stderr.match(/(file|variable|flag)\.crt/g)).toEqual(expect.arrayContaining([`${read}.crt`]));
      expect(status).toBeGreaterThan(0);
    }
  });
});
