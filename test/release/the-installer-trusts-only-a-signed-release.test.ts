/** install.sh and what it verifies, in a Debian without Node; the same by hand with ssh-keygen and sha256sum. */
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { run, succeed } from '../support/child.ts';
import { artifact, emptyDebian, release, shell, version, within } from '../support/released.ts';
import { scenario } from '../support/scenario.ts';
import { temporaryFolder } from '../support/scope.ts';
import { shared } from '../support/shared.ts';

const needs = ['unshare', 'chroot', 'mmdebstrap', 'ssh-keygen'];
const names = ['install.sh', 'SHA256SUMS', 'SHA256SUMS.sig', `adit-${version}-linux-x64`];

/** A Debian with the part of the release that somebody has downloaded, in /volume/release. */
const debian = shared(async () => {
  const root = await emptyDebian();
  mkdirSync(join(root, 'volume/release'));
  restore(root);
  return root;
});

function restore(root: string): void {
  for (const name of names) cpSync(join(release, name), join(root, 'volume/release', name));
}

/** What the installer says, and its status. */
async function installs(flags: string, path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin') {
  const root = await debian();
  const line = `sh /volume/release/install.sh ${flags}`;
  const [program, ...args] = [...within({ root }), 'sh', '-c', line] as string[] as [string, ...string[]];
  const { code, stdout, stderr } = await run(program, args, { env: { PATH: path, HOME: '/root' }, timeoutMs: 60_000 });
  return { code, said: stdout + stderr };
}
const isInstalled = async (at = 'usr/local/bin/adit'): Promise<boolean> => existsSync(join(await debian(), at));

scenario('it names the library that is missing, and installs nothing', needs, async () => {
  expect(await installs('')).toEqual({
    code: 1,
    said: expect.stringContaining('install libatomic1 (Debian, Ubuntu) or libatomic (Fedora, RHEL, SUSE)'),
  });
  expect(readdirSync(join(await debian(), 'usr/local/bin'))).toEqual([]);
  await shell(await debian(), 'apt-get install -y -qq --no-install-recommends libatomic1');
});

scenario('it installs for this machine, and removes again', needs, async () => {
  expect(await installs('')).toEqual({ code: 0, said: `installed adit ${version}: /usr/local/bin/adit\n` });
  expect(await shell(await debian(), 'adit --version')).toBe(`${version}\n`);
  expect(await installs('--remove')).toMatchObject({ code: 0, said: expect.stringContaining('removed') });
  expect(await isInstalled()).toBe(false);
  expect(await installs('--remove')).toMatchObject({ code: 1, said: expect.stringContaining('there is no') });

  const elsewhere = await installs('--prefix /opt/adit');
  expect(elsewhere).toMatchObject({ code: 0, said: expect.stringContaining('/opt/adit/bin is not in your PATH') });
  expect(readdirSync(join(await debian(), 'opt/adit/bin'))).toEqual(['adit']);
});

scenario('a program, sums or a signature that somebody changed are refused', needs, async () => {
  const root = await debian();
  const executable = `adit-${version}-linux-x64`;
  for (const [name, said] of [
    [executable, `${executable} does not have the sum of SHA256SUMS`],
    ['SHA256SUMS', 'the signature of SHA256SUMS is not of an allowed signer'],
  ] as const) {
    appendFileSync(join(root, 'volume/release', name), '\n');
    expect(await installs('')).toEqual({ code: 1, said: expect.stringContaining(said) });
    expect(await isInstalled()).toBe(false);
    restore(root);
  }
  rmSync(join(root, 'volume/release/SHA256SUMS.sig'));
  expect(await installs('')).toEqual({ code: 1, said: expect.stringContaining('has no SHA256SUMS.sig') });
  restore(root);
});

scenario('a release that another key signed is refused', needs, async () => {
  const root = await debian();
  const folder = temporaryFolder();
  await succeed('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, 'other')]);
  const [, ...key] = readFileSync(join(folder, 'other.pub'), 'utf8').split(' ');
  writeFileSync(join(root, 'volume/signers'), `adit-release namespaces="adit-release" ssh-ed25519 ${key[0]}\n`);

  expect(await installs('--signers /volume/signers')).toEqual({
    code: 1,
    said: expect.stringContaining('not of an allowed signer'),
  });
  expect(await isInstalled()).toBe(false);
});

scenario('a release that nobody signed needs --unsigned', needs, async () => {
  const script = join(await debian(), 'volume/release/install.sh');
  writeFileSync(script, readFileSync(script, 'utf8').replace(/^signers='.*'$/m, "signers=''"));

  expect(await installs('')).toMatchObject({ code: 1, said: expect.stringContaining('nobody signed this release') });
  expect(await installs('--unsigned')).toMatchObject({
    code: 0,
    said: expect.stringContaining('the signature is not verified'),
  });
  restore(await debian());
});

scenario('wrong usage is one line', needs, async () => {
  expect(await installs('--frm x')).toEqual({ code: 1, said: 'install.sh: unknown: --frm; see --help\n' });
  expect(await installs('--prefix')).toEqual({ code: 1, said: 'install.sh: --prefix needs a value; see --help\n' });
  expect(await installs('--help')).toMatchObject({ code: 0, said: expect.stringContaining('usage: sh install.sh') });
});

scenario('sums and signature are verified by hand as well', ['ssh-keygen', 'sha256sum'], async () => {
  const sums = readFileSync(artifact('SHA256SUMS'));
  const signers = ['-f', artifact('release-signers'), '-I', 'adit-release', '-n', 'adit-release'];
  await succeed('ssh-keygen', ['-Y', 'verify', ...signers, '-s', artifact('SHA256SUMS.sig')], { input: sums });
  await succeed('sha256sum', ['--check', '--strict', '--quiet', 'SHA256SUMS'], { cwd: release, timeoutMs: 60_000 });

  const listed = sums
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => line.split('  ')[1]!);
  expect(readdirSync(release).filter((name) => !name.startsWith('SHA256SUMS'))).toEqual(listed);
});

scenario('the scripts of the packages are clean', ['shellcheck'], async () => {
  const packaging = join(import.meta.dirname, '../../packaging');
  const scripts = ['install.sh', 'deb/postinst', 'deb/prerm', 'deb/postrm'].map((name) => join(packaging, name));
  await succeed('shellcheck', ['--enable=all', '--exclude=SC2250,SC2310,SC2312', ...scripts]);
});
