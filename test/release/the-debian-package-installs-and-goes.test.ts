/** The Debian packages: what lintian says of them, and the life of one of them in a Debian without Node. */
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { run, succeed } from '../support/child.ts';
import { doesTheMainJob } from '../support/main-job.ts';
import { artifact, emptyDebian, shell, version, within } from '../support/released.ts';
import { scenario } from '../support/scenario.ts';
import { shared } from '../support/shared.ts';

const needs = ['unshare', 'chroot', 'mmdebstrap'];

test.each(['amd64', 'arm64'])(
  'lintian finds nothing in that for %s',
  async (machine) => {
    const file = artifact(`adit_VERSION_${machine}.deb`);
    const { code, stdout } = await run('lintian', ['--allow-root', '--display-info', '--fail-on', 'info', file], {
      timeoutMs: 500_000, // it reads 150 MB, in half a minute of CPU
    });
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
  },
  540_000,
);

/** A Debian in which apt has installed it with what it depends on. */
const installed = shared(async () => {
  const root = await emptyDebian();
  copyFileSync(artifact('adit_VERSION_amd64.deb'), join(root, 'volume', 'adit.deb'));
  await shell(root, 'apt-get install -y -qq --no-install-recommends /volume/adit.deb >/dev/null');
  return root;
});

scenario('apt installs it with the libraries that it needs, and it starts nothing', needs, async () => {
  const root = await installed();

  expect(existsSync(join(root, 'usr/bin/node'))).toBe(false);
  expect(await shell(root, 'adit --version')).toBe(`${version}\n`);
  expect(await shell(root, 'stat -c "%a %U:%G" /etc/adit')).toBe('750 root:adit\n');
  expect(await shell(root, 'getent passwd adit')).toMatch(/^adit:x:\d{3}:\d{3}:Adit egress.*:\/nonexistent:/);
  expect(await shell(root, 'find /etc/systemd -name "adit*"')).toBe('');
  expect(await shell(root, 'ls /usr/lib/systemd/system/adit-egress.service')).toContain('adit-egress.service');
  for (const page of ['man1/adit.1', 'man1/adit-egress.1', 'man5/adit-policy.5'])
    expect(existsSync(join(root, 'usr/share/man', `${page}.gz`))).toBe(true);
});

scenario('the examples that come with it are valid', needs, async () => {
  const root = await installed();
  const examples = '/usr/share/doc/adit/examples';

  expect(await shell(root, `adit policy check ${examples}/policy.yaml`)).toContain('2 tests passed');
  const lines = [
    ...[`mkdir /volume/example && cd /volume/example && cp ${examples}/*.yaml .`],
    ...['adit ca init', 'adit ca issue egress edge1 --host tunnel.example.org', 'adit ca issue client alice'],
    ...['adit ca crl', 'cp ca/crl.pem .', 'adit egress --check --config egress.yaml'],
    ...['adit ingress --check --config ingress.yaml'],
  ];
  await shell(root, lines.join(' >/dev/null && '));
});

scenario('it does the main job as its own user', needs, async () => {
  const root = await installed();
  await shell(root, 'install -d -o adit -g adit /volume/job');

  const command = [...within({ root, user: 'adit:adit' }), '/usr/bin/adit'];
  await doesTheMainJob({ command, here: join(root, 'volume/job'), there: '/volume/job' });
});

scenario('a purge removes what it made, and never a key', needs, async () => {
  const root = await installed();
  const key = join(root, 'etc/adit/edge1.key');
  writeFileSync(key, 'a key', { mode: 0o640 });

  expect(await shell(root, 'apt-get purge -y -qq adit 2>&1')).toContain('/etc/adit is kept');
  expect(readFileSync(key, 'utf8')).toBe('a key');
  expect(await shell(root, 'getent passwd adit')).toContain('adit');
  expect(existsSync(join(root, 'usr/bin/adit'))).toBe(false);

  await shell(root, 'rm /etc/adit/edge1.key && dpkg -i /volume/adit.deb >/dev/null && apt-get purge -y -qq adit 2>&1');
  expect(existsSync(join(root, 'etc/adit'))).toBe(false);
  expect(await shell(root, 'getent passwd adit || true')).toBe('');
});

test.each(['amd64', 'arm64'])('that for %s has sums of its files, which are all of root', async (machine) => {
  const file = artifact(`adit_VERSION_${machine}.deb`);
  const { stdout } = await succeed('dpkg-deb', ['--contents', file]);
  expect(stdout.match(/^\S+ (?!root\/root )/gm)).toBeNull();
  const sums = (await succeed('dpkg-deb', ['--info', file, 'md5sums'])).stdout;
  expect(sums).toMatch(/^[0-9a-f]{32} {2}usr\/bin\/adit$/m);
});
