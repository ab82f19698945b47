/**
 * What the bootstrap downloads, with the true npm, an empty HOME and a registry of this test: pnpm runs only if its
 * tarball has the hash that the repository states.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

const machine = `${process.platform}-${process.arch}`;
const name = `@pnpm/exe.${machine}`;
const version = '1.2.3';
const folder = mkdtempSync(join(tmpdir(), 'adit-integrity-'));
const tarball = packed();
const integrity = hashOf(tarball);
const another = Buffer.concat([tarball, Buffer.alloc(512)]);
/** What the registry says and sends; a test may put something else in its place. */
const served = { tarball, integrity };
let requests = 0;
const registry = createServer((request, response) => {
  requests++;
  if (request.url.endsWith('.tgz')) return response.end(served.tarball);
  const dist = {
    tarball: `http://127.0.0.1:${registry.address().port}/pnpm.tgz`,
    integrity: served.integrity,
  };
  const versions = { [version]: { name, version, dist } };
  return response.end(JSON.stringify({ name, 'dist-tags': { latest: version }, versions }));
});

beforeAll(() => new Promise((resolve) => registry.listen(0, '127.0.0.1', resolve)));
afterAll(async () => {
  await new Promise((resolve) => registry.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

/** A tarball whose pnpm says that it ran and installs Node and a compiler. */
function packed() {
  const inside = join(folder, 'package');
  mkdirSync(inside);
  writeFileSync(join(inside, 'package.json'), JSON.stringify({ name, version }));
  const bin = `node_modules/node-${machine}/bin`;
  writeFileSync(
    join(inside, 'pnpm'),
    `#!/bin/sh\necho pnpm ran\nmkdir -p ${bin} node_modules/typescript/bin\n` +
      `ln -sf '${process.execPath}' ${bin}/node\n` +
      'echo \'console.log("compiled")\' > node_modules/typescript/bin/tsc\n',
    { mode: 0o755 },
  );
  const { status } = spawnSync('tar', ['-czf', join(folder, 'pnpm.tgz'), '-C', folder, 'package']);
  if (status !== 0) throw new Error('tar failed');
  return readFileSync(join(folder, 'pnpm.tgz'));
}

function hashOf(bytes) {
  return `sha512-${createHash('sha512').update(bytes).digest('base64')}`;
}

/** Builds in a new clone that wants this hash. */
async function build(pinned, home) {
  const root = mkdtempSync(join(folder, 'clone-'));
  mkdirSync(join(root, 'scripts'));
  mkdirSync(join(root, 'packages'));
  copyFileSync(fileURLToPath(new URL('./go.mjs', import.meta.url)), join(root, 'scripts', 'go.mjs'));
  writeFileSync(join(root, 'scripts', 'bundle.mjs'), 'console.log("bundled")');
  writeFileSync(join(root, 'scripts', 'pnpm.json'), JSON.stringify({ version, programs: { [machine]: pinned } }));
  const child = spawn(process.execPath, [join(root, 'scripts', 'go.mjs'), 'build'], {
    env: {
      PATH: process.env['PATH'],
      HOME: home,
      npm_config_registry: `http://127.0.0.1:${registry.address().port}/`,
      npm_config_fetch_retries: '0',
    },
  });
  const closed = new Promise((resolve) => child.once('close', resolve));
  const [out, error, status] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
  return { status, out: out.trimEnd(), error: error.trimEnd() };
}
const emptyHome = () => mkdtempSync(join(folder, 'home-'));

test('pnpm with the hash of the repository is installed and run, and the next clone needs no registry', async () => {
  const home = emptyHome();
  expect(await build(integrity, home)).toEqual({ status: 0, out: 'pnpm ran\ncompiled\nbundled', error: '' });
  const before = requests;
  expect(await build(integrity, home)).toEqual({ status: 0, out: 'pnpm ran\ncompiled\nbundled', error: '' });
  expect(requests).toBe(before);
});

test.each([
  ['which the registry admits', () => hashOf(another)],
  ['which the registry denies', () => integrity],
])('pnpm with another hash, %s, is not run, and one sentence says so', async (_how, stated) => {
  served.integrity = stated();
  served.tarball = another;
  try {
    expect(await build(integrity, emptyHome())).toEqual({
      status: 1,
      out: '',
      error: 'pnpm 1.2.3 was not run: what came does not have the hash that scripts/pnpm.json states',
    });
  } finally {
    Object.assign(served, { tarball, integrity });
  }
});
