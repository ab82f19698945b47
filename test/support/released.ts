/** The release under test, which test/release/build-once.mjs made, and roots to install it into. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, succeed, type RunOptions } from './child.ts';
import { temporaryFolder } from './scope.ts';

const folder = process.env['RELEASE_UNDER_TEST'];
if (folder === undefined) throw new Error('the tests of the release run by "npm run release:test"');

export const release = join(folder, 'release');
/** The key that signed it. */
export const releaseKey = join(folder, 'key');
const root = join(import.meta.dirname, '..', '..');
export const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

/** The path of an artifact; VERSION stands for the version. */
export function artifact(name: string): string {
  return join(release, name.replaceAll('VERSION', version));
}

/** A root of Debian with apt, a shell and ssh-keygen, and neither Node nor libatomic. */
export async function emptyDebian(): Promise<string> {
  const place = join(temporaryFolder(), 'root');
  mkdirSync(place);
  // Devices are left out: what runs here gets those of the machine.
  await succeed('tar', ['-xf', join(folder!, 'debian.tar'), '--exclude=./dev/*', '-C', place]);
  mkdirSync(join(place, 'volume'));
  return place;
}

export interface Inside {
  readonly root: string;
  /** `user:group`, as numbers or as names of that root; default root. */
  readonly user?: string;
  /** Everything but /volume is read-only. */
  readonly readOnly?: boolean;
}

/** What to put before a command so that it runs with that root, in a mount namespace of its own. */
export function within({ root: place, user = '0:0', readOnly = false }: Inside): string[] {
  const script = [
    'root=$1 user=$2 write=$3; shift 3',
    'mount --make-rprivate /',
    'mount --bind "$root" "$root"',
    'mount --bind "$root/volume" "$root/volume"',
    'if [ -d "$root/dev" ]; then mount --rbind /dev "$root/dev"; fi',
    '[ "$write" = yes ] || mount -o remount,bind,ro "$root"',
    'mount -t proc proc "$root/proc"',
    'exec /usr/sbin/chroot --userspec="$user" "$root" "$@"',
  ].join('\n');
  return ['unshare', '--mount', '--', 'sh', '-ec', script, 'sh', place, user, readOnly ? 'no' : 'yes'];
}

const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Runs a line of shell as root in a root that has one, to its end. */
export async function shell(place: string, line: string, options: RunOptions = {}): Promise<string> {
  const [program, ...args] = [...within({ root: place }), 'sh', '-ec', line] as string[] as [string, ...string[]];
  const env = { PATH: path, HOME: '/root', DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C', ...options.env };
  const { code, stdout, stderr } = await run(program, args, { timeoutMs: 300_000, ...options, env });
  if (code !== 0) throw new Error(`${line}: ended with ${code}\n${stdout}${stderr}`);
  return stdout;
}
