import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ingressSettings } from './options/settings.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'adit-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** The real program `adit-ingress`. */
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

describe('adit-ingress', () => {
  test('explains every flag, with examples', () => {
    const { status, stdout, stderr } = run(['--help']);
    expect([status, stderr]).toEqual([0, '']);
    for (const { name } of Object.values(ingressSettings)) expect(stdout).toContain(`--${name}`);
    expect(stdout).toContain('-L, --forward <SPEC>');
    expect(stdout).toContain('-L 5432:db.internal:5432');
  });
  test('is "adit connect" too, with flags of its own', () => {
    expect(run(['connect', '--help'])).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('Usage: adit-ingress connect [options] <destination>'),
    });
    expect(run(['connect', '--egress', 'h:1', 'nope:'])).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringMatching(/^adit-ingress: the destination "nope:": .*\[USAGE\]\n$/),
    });
    expect(run(['connect', '--control-socket', './absent', 'web'])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('no ingress answers at ./absent'),
    });
  });
  test('refuses an unknown flag with a suggestion', () => {
    expect(run(['--forwrad', '1:web'])).toMatchObject({
      status: 2,
      stderr: "adit-ingress: unknown option '--forwrad' (Did you mean --forward?). See --help. [USAGE]\n",
    });
  });
  test('says which of many forwards is wrong, wherever it stands', () => {
    const rest = ['--egress', 'h:1', '--cert', 'a', '--key', 'b', '--ca', 'c'];
    expect(run([...rest, '-L', '8080:web', '-L', '::1:80:web'])).toMatchObject({
      status: 2,
      stderr:
        'adit-ingress: --forward "::1:80:web": too many colons: an IPv6 address goes in brackets, as in ' +
        '[::1]:8080:[fd00::1]:80. Correct the value that is named. [CONFIG_INVALID]\n',
    });
    expect(run(rest, { ADIT_FORWARD: '8080:web,8081' })).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('ADIT_FORWARD "8081": incomplete'),
    });
    writeFileSync(join(folder, 'i.yaml'), 'forward:\n  - 8080:web\n  - 8081:Web\n');
    expect(run([...rest, '--config', 'i.yaml'])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('i.yaml:3:5: forward "8081:Web": service names are lower-case'),
    });
  });
  test('prints rules for a firewall without an egress and certificates, and does nothing else', () => {
    const { status, stdout, stderr } = run(['--transparent', '*:4000', '--print-rules']);
    expect([status, stderr]).toEqual([0, '']);
    for (const word of [
      "--transparent '*:4000'",
      'redirect to :4000',
      '-j REDIRECT --to-ports 4000',
      `uid=\${uid:-${process.getuid?.()}}`,
    ])
      expect(stdout).toContain(word);
    expect(run(['--print-rules'])).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringContaining('add --transparent [BIND:]PORT'),
    });
  });
  test('takes flags as they are, and switches without a value', () => {
    const { status, stderr } = run([
      '--egress',
      '127.0.0.1:1',
      '--cert',
      'absent.crt',
      '--key',
      'absent.key',
      '--ca',
      'absent-ca.crt',
      '-L',
      '0:web',
      '--check',
    ]);
    expect(stderr).toMatch(/^adit-ingress: .*absent.*\[[A-Z_]+\]\n$/);
    expect(status).toBeGreaterThan(0);
  });
});
