import { describe, expect, test } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Ended, runHere } from '../../../test/support/in-process-program.ts';
import { temporaryFolder } from '../../../test/support/scope.ts';
import { egressProgram } from './command.ts';
import { egressSettings } from './options.ts';

const folder = temporaryFolder();
const run = (args: readonly string[], env: Record<string, string> = {}): Promise<Ended> =>
  runHere({ name: 'adit-egress', make: egressProgram }, args, { cwd: folder, env });

describe('adit-egress', () => {
  test('explains every flag, with examples', async () => {
    const { code, stdout, stderr } = await run(['--help']);
    expect([code, stderr]).toEqual([0, '']);
    for (const { name } of Object.values(egressSettings)) expect(stdout).toContain(`--${name}`);
    expect(stdout).toMatch(/^Usage: adit-egress /);
    expect(stdout).toContain('adit egress --listen 0.0.0.0:8443');
  });
  test('says its version', async () => {
    expect(await run(['--version'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });
  test('refuses an unknown flag with a suggestion', async () => {
    expect(await run(['--lissten', 'a'])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: "adit-egress: unknown option '--lissten' (Did you mean --listen?). See --help. [USAGE]\n",
    });
  });
  test('refuses an argument that is no flag', async () => {
    expect(await run(['edge.yaml'])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^adit-egress: too many arguments[^\n]*\[USAGE\]\n$/),
    });
  });
  test('names every missing value in one line', async () => {
    expect(await run(['--cert', 'x'])).toMatchObject({
      code: 2,
      stderr:
        'adit-egress: --key, --client-ca and --policy are required: give them on the command line, as ADIT_KEY, ' +
        'ADIT_CLIENT_CA and ADIT_POLICY in the environment, or as "key:", "client-ca:" and "policy:" in the ' +
        'file of --config. See --help. [USAGE]\n',
    });
  });
  test('refuses an unknown key with file, line, column and suggestion', async () => {
    writeFileSync(join(folder, 'edge.yaml'), 'cert: a\nkey: b\nclient-ca: c\npolicy: d\nlissten: 127.0.0.1:0\n');
    expect(await run(['--config', 'edge.yaml'])).toMatchObject({
      code: 2,
      stderr:
        'adit-egress: edge.yaml:5:1: the key "lissten" is unknown; did you mean "listen"? Remove the key or ' +
        'correct its spelling. [CONFIG_UNKNOWN_KEY]\n',
    });
  });
  test('names an unknown variable, with a suggestion, beside what is missing', async () => {
    expect(
      await run(['--cert', 'a', '--key', 'b', '--client-ca', 'c'], { ADIT_POLICI: '1', ADIT_PORT: 'tcp://10.0.0.1:1' }),
    ).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /^adit-egress: .*"ADIT_POLICI" is unknown; did you mean ADIT_POLICY\?\n.*--policy is required: .*\n$/,
      ),
    });
  });
  test('points from --ca, which is an option of the ingress, to --client-ca', async () => {
    expect(await run(['--ca', 'ca.crt'])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/^adit-egress: --ca is an option of the ingress: .*--client-ca.*\[USAGE\]\n$/),
    });
  });
  test('takes the flag before the variable, the variable before the file', async () => {
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
      const { code, stderr } = await run(args, environment);
      expect(stderr).toMatch(new RegExp(`^adit-egress: .*${read}\\.crt.*\\n$`));
      expect(stderr.match(/(file|variable|flag)\.crt/g)).toEqual(expect.arrayContaining([`${read}.crt`]));
      expect(code).toBeGreaterThan(0);
    }
  });
});
