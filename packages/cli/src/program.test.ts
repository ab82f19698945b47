import { describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Finished, run as runProcess } from '../../../test/support/child.ts';
import { type Ended, runHere } from '../../../test/support/in-process-program.ts';
import { temporaryFolder } from '../../../test/support/scope.ts';
import { fromSource } from '../../../test/support/source-program.ts';
import { program } from './program.ts';

const folder = temporaryFolder();
const run = (args: readonly string[], env: Record<string, string> = {}): Promise<Ended> =>
  runHere({ name: 'adit', make: program }, args, { cwd: folder, env });

/** The same as a process of its own. */
const main = fileURLToPath(new URL('./main.ts', import.meta.url));
const started = (args: readonly string[], env: Record<string, string> = {}): Promise<Finished> =>
  runProcess(process.execPath, [...fromSource, main, ...args], { cwd: folder, env });

describe('adit', () => {
  test('explains its commands, and every command itself', async () => {
    const { code, stdout, stderr } = await started(['--help']);
    expect([code, stderr]).toEqual([0, '']);
    for (const text of ['ingress', 'egress', 'ca', 'policy', 'Start here:', 'adit ca init --trust-domain example.org'])
      expect(stdout).toContain(text);
    for (const command of ['ingress', 'connect', 'egress', 'ca', 'policy'])
      expect(await run([command, '--help'])).toMatchObject({
        code: 0,
        stdout: expect.stringContaining(`Usage: adit ${command}`),
        stderr: '',
      });
  });
  test('says its version', async () => {
    expect(await run(['--version'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });
  test('without a command shows help on stderr and exits 2', async () => {
    expect(await run([])).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('Usage: adit') });
  });
  test('refuses an unknown command and an unknown flag of a nested one, in one line, with a suggestion', async () => {
    expect(await run(['polcy'])).toMatchObject({
      code: 2,
      stderr: "adit: unknown command 'polcy' (Did you mean policy?). See --help. [USAGE]\n",
    });
    expect(await run(['egress', '--lissten', 'a'])).toMatchObject({
      code: 2,
      stderr: "adit: unknown option '--lissten' (Did you mean --listen?). See --help. [USAGE]\n",
    });
    expect(await run(['policy', 'check', '--fille', 'a'])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^adit: unknown option '--fille'[^\n]*\[USAGE\]\n$/),
    });
  });
  test('prints every complaint about a file on a line of its own', async () => {
    writeFileSync(
      join(folder, 'edge.yaml'),
      'cert: a\nkey: b\nclient-ca: c\npolicy: d\nidle-timeout: 1d\nlissten: x\n',
    );
    expect(await run(['egress', '--config', 'edge.yaml'])).toMatchObject({
      code: 2,
      stderr:
        'adit: edge.yaml:5:15: idle-timeout "1d": not a duration: write 500ms, 10s, 5m, 1h, or 0 for none\n' +
        'adit: edge.yaml:6:1: the key "lissten" is unknown; did you mean "listen"? Correct the value that is ' +
        'named. [CONFIG_INVALID]\n',
    });
  });
  // Each command once as a process of its own.
  test.each([[['ca', 'list']], [['policy', 'check', 'p.yaml']], [['ingress']], [['connect', 'web']], [['egress']]])(
    'names an unknown variable in %j with its complaints, and does not show its value',
    async (args) => {
      const { code, stderr } = await started(args, { ADIT_CA_PASSPHRAS: 'hunter2' });
      expect(stderr).toContain(
        'the environment variable "ADIT_CA_PASSPHRAS" is unknown; did you mean ADIT_CA_PASSPHRASE?',
      );
      expect(stderr).not.toContain('hunter2');
      expect(code).toBeGreaterThan(0); // for what is missing
    },
  );
  test('warns of an unknown variable, and goes on', async () => {
    writeFileSync(join(folder, 'good.yaml'), 'version: 1\nrules:\n  - { name: r, identities: [a], allow: ["b:1"] }\n');
    expect(await run(['policy', 'check', 'good.yaml'], { ADIT_POLICI: 'x', ADIT_SERVICE_HOST: '10.0.0.1' })).toEqual({
      code: 0,
      stdout: 'good.yaml: 1 rule, 0 services, 0 tests passed\n',
      stderr: 'adit: the environment variable "ADIT_POLICI" is unknown; did you mean ADIT_POLICY?\n',
    });
  });
  test('does not mind a reader that leaves early', async () => {
    const child = spawn(process.execPath, [...fromSource, main, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.stdout.destroy();
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(stderr).toBe('');
  });
});
