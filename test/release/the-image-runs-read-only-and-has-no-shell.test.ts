/** The image, unpacked as a container runtime would, for this machine and, under emulation, for the other. */
import { chownSync, mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { succeed } from '../support/child.ts';
import { doesTheMainJob } from '../support/main-job.ts';
import { artifact, version, within } from '../support/released.ts';
import { scenario } from '../support/scenario.ts';
import { temporaryFolder } from '../support/scope.ts';
import { shared } from '../support/shared.ts';

const needs = ['skopeo', 'umoci', 'unshare', 'chroot'];
const user = 65_532;

interface Unpacked {
  readonly root: string;
  readonly process: { readonly args: string[]; readonly env: string[]; readonly user: { uid: number; gid: number } };
}

async function unpack(machine: string): Promise<Unpacked> {
  const folder = temporaryFolder();
  const layout = join(folder, 'layout');
  const archive = `oci-archive:${artifact('adit-VERSION.oci.tar')}:adit:${version}`;
  await succeed('skopeo', ['--override-arch', machine, 'copy', '--quiet', archive, `oci:${layout}:adit`], {
    timeoutMs: 120_000,
  });
  const bundle = join(folder, 'bundle');
  await succeed('umoci', ['unpack', '--image', `${layout}:adit`, bundle], { timeoutMs: 120_000 });
  const { process } = JSON.parse(readFileSync(join(bundle, 'config.json'), 'utf8')) as Pick<Unpacked, 'process'>;
  return { root: join(bundle, 'rootfs'), process };
}
const amd64 = shared(() => unpack('amd64'));
const arm64 = shared(() => unpack('arm64'));

/** Adds the places that a runtime mounts: /proc, and a volume for the user of the image. */
function mountPoints(root: string): string {
  for (const name of ['proc', 'volume']) mkdirSync(join(root, name));
  chownSync(join(root, 'volume'), user, user);
  return join(root, 'volume');
}

scenario('it starts adit, as a user who owns nothing in it', needs, async () => {
  const { root, process } = await amd64();
  expect(process).toMatchObject({ args: ['adit'], user: { uid: user, gid: user } });
  expect(process.env).toContain('PATH=/usr/bin');

  for (const path of filesBelow(root)) {
    const { uid, mode } = statSync(path);
    expect({ path, uid, othersWrite: mode & 0o022 }).toEqual({ path, uid: 0, othersWrite: 0 });
  }
});

scenario('it has one program, what that needs, and nothing else to run', needs, async () => {
  const { root } = await amd64();
  const files = filesBelow(root).map((path) => path.slice(root.length));

  const runnable = files.filter((path) => (statSync(join(root, path)).mode & 0o111) !== 0);
  expect(runnable.filter((path) => !/\.so\.\d+$/.test(path))).toEqual(['/usr/bin/adit']);
  expect(files.length).toBeLessThan(30);
  expect(files).toContain('/usr/share/doc/libc6/copyright');
  expect(readFileSync(join(root, 'etc/ssl/cert.pem'), 'utf8').match(/BEGIN CERTIFICATE/g)!.length).toBeGreaterThan(100);
});

scenario('it does the main job with a read-only file system', needs, async () => {
  const { root, process } = await amd64();
  const here = mountPoints(root);

  const command = [...within({ root, user: `${user}:${user}`, readOnly: true }), ...process.args];
  await doesTheMainJob({ command, here, there: '/volume', env: Object.fromEntries(process.env.map(pairOf)) });
});

scenario(
  'that for arm64 does the main job under emulation',
  [...needs, 'qemu-aarch64-static'],
  async () => {
    const { root } = await arm64();
    const here = temporaryFolder();

    // The emulator finds the loader and the libraries below the root of the image.
    const command = ['qemu-aarch64-static', '-L', root, join(root, 'usr/bin/adit')];
    await doesTheMainJob({ command, here, there: here, megabytes: 2 });
  },
  300_000,
);

test('its labels say what it is', async () => {
  const archive = `oci-archive:${artifact('adit-VERSION.oci.tar')}:adit:${version}`;
  const { stdout } = await succeed('skopeo', ['inspect', '--config', archive]);

  expect(JSON.parse(stdout)).toMatchObject({
    config: {
      Labels: {
        'org.opencontainers.image.title': 'adit',
        'org.opencontainers.image.version': version,
        'org.opencontainers.image.revision': expect.stringMatching(/^[0-9a-f]{40}/),
      },
    },
  });
});

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

function pairOf(text: string): [string, string] {
  const at = text.indexOf('=');
  return [text.slice(0, at), text.slice(at + 1)];
}
