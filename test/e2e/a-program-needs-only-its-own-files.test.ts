import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { builtProgram } from '../support/adit.ts';
import { type Finished, run } from '../support/child.ts';
import { temporaryFolder } from '../support/scope.ts';

const dist = (name: string): string => join(builtProgram(), '..', '..', '..', name, 'dist');

describe.each([
  ['cli', 'adit'],
  ['ingress', 'adit-ingress'],
  ['egress', 'adit-egress'],
])('the program of %s', (name, called) => {
  const folder = temporaryFolder();
  const home = join(folder, 'home');
  mkdirSync(home);
  for (const file of readdirSync(dist(name))) copyFileSync(join(dist(name), file), join(folder, file));
  const start = (...args: string[]): Promise<Finished> =>
    run(process.execPath, [join(folder, 'main.js'), ...args], {
      cwd: folder,
      env: { HOME: home, XDG_CACHE_HOME: undefined, NODE_COMPILE_CACHE: undefined },
    });

  test('has its version and its help inside', async () => {
    expect(await start('--version')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
    if (name === 'cli')
      for (const command of ['egress', 'ingress', 'connect', 'ca', 'policy'])
        expect(await start(command, '--help')).toMatchObject({
          code: 0,
          stdout: expect.stringContaining(`Usage: adit ${command}`),
          stderr: '',
        });
    expect(await start('--help')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`Usage: ${called}`),
      stderr: '',
    });
  });
  test('keeps what was compiled in the cache of the user, and starts where there is none', async () => {
    await start('--version');
    expect(readdirSync(join(home, '.cache', 'adit', 'compiled'))).toContain('adit');
    writeFileSync(join(folder, 'file'), '');
    const { code, stderr } = await run(process.execPath, [join(folder, 'main.js'), '--version'], {
      cwd: folder,
      env: { HOME: join(folder, 'file'), XDG_CACHE_HOME: undefined, NODE_COMPILE_CACHE: undefined },
    });
    expect([code, stderr]).toEqual([0, '']);
  });
});

test('dist holds the programs, where a stack of them leads, and nothing else', () => {
  const built = (...files: string[]): string[] => [
    ...files.flatMap((file) => [`${file}.js`, `${file}.js.map`]),
    'main.js',
    'package.json',
  ];
  expect(readdirSync(dist('cli')).sort()).toEqual(built('connect', 'egress', 'ingress', 'program').sort());
  for (const name of ['ingress', 'egress']) expect(readdirSync(dist(name)).sort()).toEqual(built('program').sort());
});
