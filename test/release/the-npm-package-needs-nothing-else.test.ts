/** The npm package, installed with the network off: what `npm install -g FILE` gives. */
import { mkdtempSync, readFileSync, readdirSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { succeed } from '../support/child.ts';
import { doesTheMainJob } from '../support/main-job.ts';
import { artifact, version } from '../support/released.ts';
import { scenario } from '../support/scenario.ts';
import { temporaryFolder } from '../support/scope.ts';
import { shared } from '../support/shared.ts';

const tgz = artifact('adit-tunnel-VERSION.tgz');
const env = { PATH: `${dirname(process.execPath)}:${process.env['PATH']}` };

/** A prefix with the package, installed where the optional library cannot be had: no network, an empty cache. */
const prefix = shared(async () => {
  const folder = temporaryFolder();
  const flags = ['--offline', '--cache', join(folder, 'cache'), '--no-audit', '--no-fund', '--prefix', folder];
  await succeed('npm', ['install', '--global', ...flags, tgz], { env: { ...env, HOME: folder }, timeoutMs: 120_000 });
  return folder;
});

test('nothing runs when it is installed, and nothing but koffi may come with it', async () => {
  const { stdout } = await succeed('tar', ['-xzOf', tgz, 'package/package.json']);
  const manifest = JSON.parse(stdout) as Record<string, unknown>;

  expect(manifest).toMatchObject({
    name: 'adit-tunnel',
    version,
    engines: { node: '>=24' },
    optionalDependencies: { koffi: expect.stringMatching(/^\^\d/) },
  });
  expect(Object.keys(manifest)).not.toEqual(expect.arrayContaining(['scripts']));
  expect(Object.keys(manifest)).not.toEqual(expect.arrayContaining(['dependencies']));
  expect(stdout).not.toContain('workspace:');
});

scenario('three commands are installed, with their manual, and no other package', ['npm'], async () => {
  const folder = await prefix();

  expect(readdirSync(join(folder, 'lib/node_modules'))).toEqual(['adit-tunnel']);
  expect(readdirSync(join(folder, 'lib/node_modules/adit-tunnel'))).not.toContain('node_modules');
  expect(readdirSync(join(folder, 'bin')).sort()).toEqual(['adit', 'adit-egress', 'adit-ingress']);
  for (const name of readdirSync(join(folder, 'bin')))
    expect((await succeed(join(folder, 'bin', name), ['--version'], { env })).stdout).toBe(`${version}\n`);
  const page = realpathSync(join(folder, 'share/man/man1/adit.1'));
  expect(readFileSync(page, 'utf8')).toContain('.TH');
});

test('in a folder, --no-optional leaves the optional library out', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'package.json'), '{}'); // or npm looks for one above
  await succeed('npm', ['install', '--offline', '--no-optional', '--no-audit', '--no-fund', tgz], { cwd: folder, env });

  expect(readdirSync(join(folder, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual(['adit-tunnel']);
  expect((await succeed(join(folder, 'node_modules/.bin/adit'), ['--version'], { env })).stdout).toBe(`${version}\n`);
});

scenario('the command and the two halves do the main job', ['npm'], async () => {
  const bin = join(await prefix(), 'bin');
  const places = (): { here: string; there: string; env: typeof env } => {
    const here = mkdtempSync(join(temporaryFolder(), 'job-'));
    return { here, there: here, env };
  };

  await doesTheMainJob({ command: [join(bin, 'adit')], ...places() });
  await doesTheMainJob({
    command: [join(bin, 'adit')],
    egress: [join(bin, 'adit-egress')],
    ingress: [join(bin, 'adit-ingress')],
    ...places(),
  });
});
