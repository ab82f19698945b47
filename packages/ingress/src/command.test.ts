import { describe, expect, test } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Ended, runHere } from '../../../test/support/in-process-program.ts';
import { temporaryFolder } from '../../../test/support/scope.ts';
import { ingressProgram } from './command.ts';
import { ingressSettings } from './options/settings.ts';

const folder = temporaryFolder();
const run = (args: readonly string[], env: Record<string, string> = {}): Promise<Ended> =>
  runHere({ name: 'adit-ingress', make: ingressProgram }, args, { cwd: folder, env });

describe('adit-ingress', () => {
  test('explains every flag, with examples', async () => {
    const { code, stdout, stderr } = await run(['--help']);
    expect([code, stderr]).toEqual([0, '']);
    for (const { name } of Object.values(ingressSettings)) expect(stdout).toContain(`--${name}`);
    expect(stdout).toContain('-L, --forward <SPEC>');
    expect(stdout).toContain('-L 5432:db.internal:5432');
  });
  test('is "adit connect" too, with flags of its own', async () => {
    expect(await run(['connect', '--help'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Usage: adit-ingress connect [options] <destination>'),
    });
    expect(await run(['connect', '--egress', 'h:1', 'nope:'])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/^adit-ingress: the destination "nope:": .*\[USAGE\]\n$/),
    });
    expect(await run(['connect', '--control-socket', './absent', 'web'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no ingress answers at ./absent'),
    });
  });
  test('refuses an unknown flag with a suggestion', async () => {
    expect(await run(['--forwrad', '1:web'])).toMatchObject({
      code: 2,
      stderr: "adit-ingress: unknown option '--forwrad' (Did you mean --forward?). See --help. [USAGE]\n",
    });
  });
  test.each([
    [['-R', '8080:web'], /^adit-ingress: -R: .*no reverse forwards.*docs\/out-of-scope\.md.*\[USAGE\]\n$/],
    [['-R8080:web'], /^adit-ingress: -R: /],
    [['--client-ca', 'ca.crt'], /^adit-ingress: --client-ca is an option of the egress: .*--ca\b.*\[USAGE\]\n$/],
    [['-L', '18080:udp://x:53'], /"18080:udp:\/\/x:53": .*UDP is not forwarded.*docs\/out-of-scope\.md/],
    [['-L', '18080:tcp://x:53'], /"18080:tcp:\/\/x:53": .*write HOST:PORT/],
    [['-L', '18080:http://x'], /"18080:http:\/\/x": .*write HOST:PORT/],
  ])('points from %j to what there is', async (args, pointer) => {
    expect(await run([...args, '--egress', 'h:1', '--cert', 'a', '--key', 'b', '--ca', 'c'])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(pointer),
    });
  });
  test('says which of many forwards is wrong, wherever it stands', async () => {
    const rest = ['--egress', 'h:1', '--cert', 'a', '--key', 'b', '--ca', 'c'];
    expect(await run([...rest, '-L', '8080:web', '-L', '::1:80:web'])).toMatchObject({
      code: 2,
      stderr:
        'adit-ingress: --forward "::1:80:web": too many colons: an IPv6 address goes in brackets, as in ' +
        '[::1]:8080:[fd00::1]:80. Correct the value that is named. [CONFIG_INVALID]\n',
    });
    expect(await run(rest, { ADIT_FORWARD: '8080:web,8081' })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('ADIT_FORWARD "8081": incomplete'),
    });
    writeFileSync(join(folder, 'i.yaml'), 'forward:\n  - 8080:web\n  - 8081:Web\n');
    expect(await run([...rest, '--config', 'i.yaml'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('i.yaml:3:5: forward "8081:Web": service names are lower-case'),
    });
  });
  test('prints rules for a firewall without an egress and certificates, and does nothing else', async () => {
    const { code, stdout, stderr } = await run(['--transparent', '*:4000', '--print-rules']);
    expect([code, stderr]).toEqual([0, '']);
    for (const word of [
      "--transparent '*:4000'",
      'redirect to :4000',
      '-j REDIRECT --to-ports 4000',
      `uid=\${uid:-${process.getuid?.()}}`,
    ])
      expect(stdout).toContain(word);
    expect(await run(['--print-rules'])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('add --transparent [BIND:]PORT'),
    });
  });
  test('takes flags as they are, and switches without a value', async () => {
    const { code, stderr } = await run([
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
    expect(code).toBeGreaterThan(0);
  });
});
