/**
 * The libraries of others that are inside the bundles: what the notices and the bill of materials list.
 * Rule: they come from the inputs of the bundler, so that nothing that is inside is left out; a library without the
 * text of its licence stops the release.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';

export interface Library {
  readonly name: string;
  readonly version: string;
  /** As SPDX writes it. */
  readonly licence: string;
  readonly text: string;
  /** As the lockfile has it. */
  readonly integrity: string;
}

/** `inputs` are paths from the repository. Sorted by name. */
export function librariesIn(root: string, inputs: readonly string[]): Library[] {
  const { packages } = parse(readFileSync(join(root, 'pnpm-lock.yaml'), 'utf8')) as {
    packages: Record<string, { resolution: { integrity: string } }>;
  };
  const folders = new Set(inputs.filter((path) => path.includes('node_modules/')).map((path) => folderOf(root, path)));
  return [...folders]
    .map((folder): Library => {
      const { name, version, license } = manifestIn(folder);
      const text = readdirSync(folder).find((file) => /^licen[cs]e(\.(md|txt))?$/i.test(file));
      const integrity = packages[`${name}@${version}`]?.resolution.integrity;
      if (license === undefined || text === undefined) throw new Error(`${name} ${version} has no text of its licence`);
      if (integrity === undefined) throw new Error(`pnpm-lock.yaml has no ${name} ${version}`);
      return { name, version, licence: license, text: readFileSync(join(folder, text), 'utf8').trim(), integrity };
    })
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
}

/** The package that a file belongs to: a package.json without a name is a mark inside of one. */
function folderOf(root: string, path: string): string {
  for (let folder = dirname(join(root, path)); folder !== root; folder = dirname(folder))
    if (existsSync(join(folder, 'package.json')) && manifestIn(folder).version !== undefined) return folder;
  throw new Error(`${path} belongs to no package`);
}

function manifestIn(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
}
