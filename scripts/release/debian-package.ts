/**
 * The Debian package `adit` of a machine: the executable, its manual, units and examples.
 * Rule: files are owned by root and have the modes that stand here, whatever the umask; dpkg-deb packs them in one
 * thread, because the number of threads changes the bytes.
 * Not here: what happens at installation and removal (packaging/deb/postinst, prerm, postrm).
 * Spec: Debian Policy 4.6, deb(5).
 */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lutimesSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Release } from './context.ts';
import { executableName } from './executable.ts';
import type { Machine } from './machines.ts';
import type { Manual } from './manual.ts';
import { run } from './run.ts';
import { gzipped, withFolders, type Entry } from './tar.ts';

interface Inside {
  readonly manual: Manual;
  readonly notices: string;
}

/** Writes `adit_VERSION_ARCHITECTURE.deb` and returns its path. */
export function buildDebianPackage(release: Release, machine: Machine, inside: Inside): string {
  const { out, scratch, time, version } = release;
  const stage = join(scratch, `deb-${machine.debian}`);
  rmSync(stage, { recursive: true, force: true });
  const program = join(out, executableName(version, machine));
  const entries = withFolders([
    { path: 'etc/adit/', directory: true },
    ...unitsOf(release),
    ...manualOf(inside.manual),
    ...documentsOf(release, inside.notices),
    { path: 'usr/bin/adit', content: '', mode: 0o755 },
  ]);
  place(stage, entries);
  copyFileSync(program, join(stage, 'usr/bin/adit'));
  place(stage, withFolders(controlOf(release, machine, entries, stage)));
  // From the inside out: what is put into a folder changes its time.
  const all = readdirSync(stage, { recursive: true, encoding: 'utf8' }).sort().reverse();
  for (const path of [...all, '.']) lutimesSync(join(stage, path), time, time);
  const file = join(out, `adit_${version}_${machine.debian}.deb`);
  const how = ['--root-owner-group', '--threads-max=1', '-Zxz', '-z1'];
  run('dpkg-deb', [...how, '--build', stage, file], {
    env: { ...process.env, SOURCE_DATE_EPOCH: String(time), LC_ALL: 'C' },
    from: 'dpkg',
  });
  return file;
}

/** The egress is a service of the machine, the ingress one of a user. */
function unitsOf({ root }: Release): Entry[] {
  const units = { 'adit-egress.service': 'system', 'adit-ingress.service': 'user' };
  return Object.entries(units).map(([name, manager]) => ({
    path: `usr/lib/systemd/${manager}/${name}`,
    content: readFileSync(join(root, 'packaging', 'systemd', name)),
  }));
}

function manualOf({ pages, completions }: Manual): Entry[] {
  return [
    ...pages.map(({ path, content }) => ({ path: `usr/share/man/${path}.gz`, content: gzipped(content) })),
    { path: 'usr/share/bash-completion/completions/adit', content: completions.bash },
    { path: 'usr/share/zsh/vendor-completions/_adit', content: completions.zsh },
    { path: 'usr/share/fish/vendor_completions.d/adit.fish', content: completions.fish },
  ];
}

function documentsOf(release: Release, notices: string): Entry[] {
  const { root } = release;
  const packaging = (name: string): Buffer => readFileSync(join(root, 'packaging', name));
  const examples = readdirSync(join(root, 'packaging', 'examples'));
  const doc = 'usr/share/doc/adit';
  return [
    { path: `${doc}/copyright`, content: packaging('deb/copyright') },
    { path: `${doc}/changelog.gz`, content: gzipped(Buffer.from(changelogOf(release))) },
    { path: `${doc}/CHANGES.md.gz`, content: gzipped(readFileSync(join(root, 'CHANGELOG.md'))) },
    { path: `${doc}/THIRD-PARTY-NOTICES.gz`, content: gzipped(Buffer.from(notices)) },
    ...examples.map((name) => ({ path: `${doc}/examples/${name}`, content: packaging(`examples/${name}`) })),
    { path: 'usr/share/lintian/overrides/adit', content: packaging('deb/lintian-overrides') },
  ];
}

/** The changelog of the package; what changed for users is in CHANGES.md. */
function changelogOf({ version, time }: Release): string {
  const date = new Date(time * 1000).toUTCString().replace('GMT', '+0000');
  return [
    `adit (${version}) stable; urgency=medium`,
    `  * Release ${version}: see CHANGES.md.gz.`,
    ` -- Adit maintainers <maintainers@adit.invalid>  ${date}\n`,
  ].join('\n\n');
}

function controlOf(release: Release, machine: Machine, entries: readonly Entry[], stage: string): Entry[] {
  const template = (name: string): string => readFileSync(join(release.root, 'packaging', 'deb', name), 'utf8');
  const files = entries.filter((entry) => 'content' in entry).map(({ path }) => path);
  const md5sums = run('md5sum', ['--', ...files.sort()], { cwd: stage });
  // In KiB, each file rounded up, as dpkg-gencontrol counts.
  const sizes = entries.map((entry) =>
    'content' in entry ? Math.ceil(readFileSync(join(stage, entry.path)).length / 1024) : 1,
  );
  const values: Readonly<Record<string, string>> = {
    VERSION: release.version,
    ARCHITECTURE: machine.debian,
    INSTALLED_SIZE: String(sizes.reduce((sum, size) => sum + size, 0)),
  };
  return [
    {
      path: 'DEBIAN/control',
      content: template('control').replaceAll(/@([A-Z_]+)@/g, (_, name: string) => values[name]!),
    },
    { path: 'DEBIAN/md5sums', content: md5sums },
    ...['postinst', 'prerm', 'postrm'].map((name) => ({
      path: `DEBIAN/${name}`,
      content: template(name),
      mode: 0o755,
    })),
  ];
}

/** Writes entries below a folder. */
function place(stage: string, entries: readonly Entry[]): void {
  for (const entry of entries) {
    const path = join(stage, entry.path);
    mkdirSync('directory' in entry ? path : dirname(path), { recursive: true });
    if ('link' in entry) symlinkSync(entry.link, path);
    else if ('content' in entry) writeFileSync(path, entry.content);
    if (!('link' in entry)) chmodSync(path, entry.mode ?? ('directory' in entry ? 0o755 : 0o644));
  }
  if (existsSync(stage)) chmodSync(stage, 0o755);
}
