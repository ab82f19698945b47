import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'adit-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const main = ['--conditions=@adit/source', fileURLToPath(new URL('./main.ts', import.meta.url))];
const clean = (): Record<string, string | undefined> =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('ADIT_')));

/** The real program `adit`. */
function run(
  args: readonly string[],
  environment: Record<string, string> = {},
): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [...main, ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...clean(), ...environment },
  });
}

describe('adit', () => {
  test('explains its commands, and every command itself', () => {
    const { status, stdout, stderr } = run(['--help']);
    expect([status, stderr]).toEqual([0, '']);
    for (const text of ['ingress', 'egress', 'ca', 'policy', 'Start here:', 'adit ca init --trust-domain example.org'])
      expect(stdout).toContain(text);
    for (const command of ['ingress', 'connect', 'egress', 'ca', 'policy'])
      expect(run([command, '--help'])).toMatchObject({
        status: 0,
        stdout: expect.stringContaining(`Usage: adit ${command}`),
        stderr: '',
      });
  });
  test('says its version', () => {
    expect(run(['--version'])).toMatchObject({ status: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });
  test('without a command shows help on stderr and exits 2', () => {
    expect(run([])).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining('Usage: adit') });
  });
  test('refuses an unknown command and an unknown flag of a nested one, in one line, with a suggestion', () => {
    expect(run(['polcy'])).toMatchObject({
      status: 2,
      stderr: "adit: unknown command 'polcy' (Did you mean policy?). See --help. [USAGE]\n",
    });
    expect(run(['egress', '--lissten', 'a'])).toMatchObject({
      status: 2,
      stderr: "adit: unknown option '--lissten' (Did you mean --listen?). See --help. [USAGE]\n",
    });
    expect(run(['policy', 'check', '--fille', 'a'])).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/^adit: unknown option '--fille'[^\n]*\[USAGE\]\n$/),
    });
  });
  test('prints every complaint about a file on a line of its own', () => {
    writeFileSync(
      join(folder, 'edge.yaml'),
      'cert: a\nkey: b\nclient-ca: c\npolicy: d\nidle-timeout: 1d\nlissten: x\n',
    );
    expect(run(['egress', '--config', 'edge.yaml'])).toMatchObject({
      status: 2,
      stderr:
        'adit: edge.yaml:5:15: idle-timeout "1d": not a duration: write 500ms, 10s, 5m, 1h, or 0 for none\n' +
        'adit: edge.yaml:6:1: the key "lissten" is unknown; did you mean "listen"? Correct the value that is ' +
        'named. [CONFIG_INVALID]\n',
    });
  });
  test('refuses an unknown variable in every command, and does not show its value', () => {
    for (const args of [['ca', 'list'], ['policy', 'check', 'p.yaml'], ['ingress'], ['connect', 'web'], ['egress']]) {
      const { status, stderr } = run(args, { ADIT_CA_PASSPHRAS: 'hunter2' });
      expect(stderr).toContain(
        'the environment variable "ADIT_CA_PASSPHRAS" is unknown; did you mean ADIT_CA_PASSPHRASE?',
      );
      expect(stderr).not.toContain('hunter2');
      expect(status).toBe(2);
    }
  });
  test('does not mind a reader that leaves early', async () => {
    const child = spawn(process.execPath, [...main, '--help'], { stdio: ['ignore', 'pipe', 'pipe'], env: clean() });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.stdout.destroy();
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(stderr).toBe('');
  });
});
