/**
 * The npm package `adit-tunnel`: the three bundled programs, their man pages and completions.
 * Rule: it needs nothing but Node. It has no dependency except the optional library for native calls, and no script
 * that runs when it is installed.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Release } from './context.ts';
import type { Manual } from './manual.ts';
import type { Programs } from './programs.ts';
import { tarGzOf, type Entry } from './tar.ts';

/** What is packed beside the texts of the repository. */
interface Inside {
  readonly programs: Programs;
  readonly manual: Manual;
  readonly notices: string;
}

/** Writes `adit-tunnel-VERSION.tgz` and returns its path. */
export function buildNpmPackage(release: Release, { programs, manual, notices }: Inside): string {
  const text = (name: string): Buffer => readFileSync(join(release.root, name));
  const pages = manual.pages.map(({ path, content }) => ({ path: `man/${path}`, content }));
  const entries: Entry[] = [
    ...Object.entries(programs.commands).flatMap(([command, files]) =>
      files.map(({ name, contents }) => ({
        path: `dist/${command}/${name}`,
        content: contents,
        mode: name === 'main.js' ? 0o755 : 0o644,
      })),
    ),
    ...pages,
    { path: 'completions/adit.bash', content: manual.completions.bash },
    { path: 'completions/_adit', content: manual.completions.zsh },
    { path: 'completions/adit.fish', content: manual.completions.fish },
    { path: 'README.md', content: text('packaging/npm/README.md') },
    { path: 'CHANGELOG.md', content: text('CHANGELOG.md') },
    { path: 'LICENSE', content: text('LICENSE') },
    { path: 'THIRD-PARTY-NOTICES', content: notices },
    {
      path: 'package.json',
      content: manifestOf(release, { commands: Object.keys(programs.commands), pages: pages.map(({ path }) => path) }),
    },
  ];
  const file = join(release.out, `adit-tunnel-${release.version}.tgz`);
  const inPackage = entries.map((entry) => ({ ...entry, path: `package/${entry.path}` }));
  writeFileSync(file, tarGzOf(inPackage, release.time));
  return file;
}

function manifestOf(
  { root, version }: Release,
  { commands, pages }: { readonly commands: readonly string[]; readonly pages: readonly string[] },
): string {
  const of = (path: string): Manifest => JSON.parse(readFileSync(join(root, path), 'utf8')) as Manifest;
  const [whole, cli] = [of('package.json'), of('packages/cli/package.json')];
  const { koffi } = cli.optionalDependencies;
  if (koffi === undefined) throw new Error('packages/cli/package.json has no koffi');
  const manifest = {
    name: 'adit-tunnel',
    version,
    description: whole.description,
    license: whole.license,
    type: 'module',
    engines: cli.engines,
    bin: Object.fromEntries(commands.map((command) => [command, `dist/${command}/main.js`])),
    man: pages,
    optionalDependencies: { koffi },
  };
  return `${JSON.stringify(manifest, undefined, 2)}\n`;
}

interface Manifest {
  readonly description: string;
  readonly license: string;
  readonly engines: { readonly node: string };
  readonly optionalDependencies: Readonly<Record<string, string>>;
}
