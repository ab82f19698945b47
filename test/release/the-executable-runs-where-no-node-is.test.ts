/**
 * The single executables, each with the root of a Debian that has the shared libraries and no Node. That of another
 * machine runs under emulation.
 */
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { run, succeed } from '../support/child.ts';
import { doesTheMainJob } from '../support/main-job.ts';
import { artifact, emptyDebian, shell, version, within } from '../support/released.ts';
import { scenario } from '../support/scenario.ts';
import { shared } from '../support/shared.ts';

const needs = ['unshare', 'chroot', 'mmdebstrap'];

const debian = shared(async () => {
  const root = await emptyDebian();
  copyFileSync(artifact('adit-VERSION-linux-x64'), join(root, 'usr/local/bin/adit'));
  await shell(root, 'apt-get install -y -qq --no-install-recommends libatomic1 >/dev/null');
  return root;
});

scenario('the executable does the main job', needs, async () => {
  const root = await debian();
  expect(existsSync(join(root, 'usr/bin/node'))).toBe(false);

  expect(await shell(root, '/usr/local/bin/adit --version')).toBe(`${version}\n`);
  const command = [...within({ root }), '/usr/local/bin/adit'];
  await doesTheMainJob({ command, here: join(root, 'volume'), there: '/volume' });
});

scenario('native calls work in it', needs, async () => {
  const root = await debian();
  const [program, ...args] = [
    ...within({ root }),
    ...['/usr/local/bin/adit', 'ingress', '--check', '--egress', '127.0.0.1:1', '--ca', '/volume/ca.crt'],
    ...['--cert', '/volume/alice.crt', '--key', '/volume/alice.key', '--transparent', '127.0.0.1:0'],
  ] as [string, ...string[]];
  const { stdout, stderr } = await run(program, args);
  expect(stdout + stderr).not.toMatch(/koffi|TRANSPARENT_UNAVAILABLE/);
});

const oldestGlibc = 'GLIBC_2.28';
test.each(['x64', 'arm64'])('the executable for %s needs no C library newer than 2.28', async (machine) => {
  const { stdout } = await succeed('readelf', ['-V', '--wide', artifact(`adit-VERSION-linux-${machine}`)]);
  const versions = new Set([...stdout.matchAll(/\bName: (GLIBC_[0-9.]+)/g)].map(([, name]) => name!));
  const newest = [...versions].sort((one, other) => minorOf(one) - minorOf(other)).at(-1);

  expect(newest).toBe(oldestGlibc);
  const control = readFileSync(join(import.meta.dirname, '../../packaging/deb/control'), 'utf8');
  expect(control).toContain(`libc6 (>= ${oldestGlibc.replace('GLIBC_', '')})`);
});

function minorOf(version: string): number {
  return Number(version.split('.')[1]);
}
