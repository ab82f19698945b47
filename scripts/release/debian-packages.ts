/**
 * Packages of the Debian that this machine has, for any machine: what the image needs besides the program.
 * Rule: apt checks their signatures and sums. Its state is in a folder of ours; that of the system is only read (the
 * sources), and nothing is installed.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, type RunOptions } from './run.ts';

export interface DebianPackage {
  readonly name: string;
  readonly version: string;
  readonly machine: string;
  /** The source package, where it has another name or version. */
  readonly source: string;
  readonly sha256: string;
  /** The .deb. */
  readonly file: string;
}

const tools = 'apt and dpkg: a release is built on Debian';

/** Downloads them; always the newest that the archive has. */
export function debianPackages(names: readonly string[], machine: string, folder: string): DebianPackage[] {
  rmSync(folder, { recursive: true, force: true });
  for (const part of ['lists/partial', 'cache/archives/partial', 'debs'])
    mkdirSync(join(folder, part), { recursive: true });
  const config = join(folder, 'apt.conf');
  writeFileSync(config, configOf(machine, folder));
  const options = { cwd: join(folder, 'debs'), env: { ...process.env, APT_CONFIG: config, LC_ALL: 'C' }, from: tools };
  run('apt-get', ['update', '--quiet=2'], options);
  run('apt-get', ['download', '--quiet=2', ...names, ...licencesOf(names, options)], options);
  const files = readdirSync(options.cwd).sort();
  return files.map((file) => described(join(options.cwd, file)));
}

/** Unpacks them into one folder, as in the root of a system; nothing of theirs runs. */
export function unpack(packages: readonly DebianPackage[], root: string): void {
  for (const { file } of packages) run('dpkg-deb', ['--extract', file, root], { from: tools });
}

/** The libraries of GCC keep their copyright in a package that has the version in its name. */
function licencesOf(names: readonly string[], options: RunOptions): string[] {
  const shown = run('apt-cache', ['depends', '--no-recommends', '--no-suggests', ...names], options).toString();
  return [...new Set(shown.match(/\bgcc-[0-9]+-base\b/g))];
}

function described(file: string): DebianPackage {
  const field = (name: string): string => run('dpkg-deb', ['--field', file, name], { from: tools }).toString().trim();
  const [name, version, machine, source] = ['Package', 'Version', 'Architecture', 'Source'].map(field) as [
    string,
    string,
    string,
    string,
  ];
  const [sha256 = ''] = run('sha256sum', ['--', file]).toString().split(' ');
  return { name, version, machine, source: source === '' ? name : source, sha256, file };
}

function configOf(machine: string, folder: string): string {
  const sources = '/etc/apt/sources.list.d/debian.sources';
  return [
    `APT::Architecture "${machine}";`,
    `APT::Architectures { "${machine}"; };`,
    `Dir::State::lists "${folder}/lists/";`,
    'Dir::State::status "/dev/null";',
    `Dir::Cache "${folder}/cache/";`,
    ...(existsSync(sources) ? [`Dir::Etc::sourcelist "${sources}";`, 'Dir::Etc::sourceparts "/dev/null";'] : []),
    'APT::Sandbox::User "root";',
    'Acquire::Languages "none";',
    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";',
    '',
  ].join('\n');
}
