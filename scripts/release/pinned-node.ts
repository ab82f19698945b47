/**
 * The Node that the lockfile pins, for a machine that need not be this one.
 * Rule: its tarball is compared with the SHA-512 of pnpm-lock.yaml, by npm, before anything of it is used.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Release } from './context.ts';
import type { Machine } from './machines.ts';
import { run } from './run.ts';

export interface PinnedNode {
  readonly version: string;
  /** The hash of its package, as the lockfile has it. */
  readonly integrity: string;
  readonly program: string;
  /** The licences of Node and of everything in it. */
  readonly licence: string;
}

export function pinnedNode({ root, cache }: Release, { node }: Machine): PinnedNode {
  const name = `node-linux-${node}`;
  const { optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    optionalDependencies: Record<string, string>;
  };
  const version = optionalDependencies[name];
  const lock = parse(readFileSync(join(root, 'pnpm-lock.yaml'), 'utf8')) as {
    packages: Record<string, { resolution: { integrity: string } }>;
  };
  const integrity = lock.packages[`${name}@${version}`]?.resolution.integrity;
  if (version === undefined || integrity === undefined) throw new Error(`pnpm-lock.yaml has no ${name}`);
  const here = join(root, 'node_modules', name);
  const folder = existsSync(join(here, 'bin', 'node')) ? here : fetched({ cache, name, version, integrity });
  return {
    version,
    integrity,
    program: join(folder, 'bin', 'node'),
    licence: readFileSync(join(folder, 'LICENSE'), 'utf8'),
  };
}

/** Has npm install this one package with this hash, whatever machine it is for; returns its folder. */
function fetched(wanted: { cache: string; name: string; version: string; integrity: string }): string {
  const { cache, name, version, integrity } = wanted;
  const folder = join(cache, `${name}-${version}`);
  const complete = join(folder, 'node_modules', '.package-lock.json'); // npm writes it last
  const manifest = { name: 'adit-release-node', version: '1.0.0', dependencies: { [name]: version } };
  const packages = { '': manifest, [`node_modules/${name}`]: { version, integrity } };
  const lock = JSON.stringify({ ...manifest, lockfileVersion: 3, packages });
  const lockFile = join(folder, 'package-lock.json');
  if (!existsSync(complete) || readFileSync(lockFile, 'utf8') !== lock) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
    writeFileSync(lockFile, lock);
    const flags = ['--force', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
    run('npm', ['ci', ...flags], { cwd: folder });
  }
  return join(folder, 'node_modules', name);
}
