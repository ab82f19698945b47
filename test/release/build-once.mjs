/**
 * Builds what the tests of the release install: every artifact, signed with a key of this run, and a Debian without
 * Node to install them into.
 * Rule: RELEASE_UNDER_TEST names a folder that is used as it is and not removed.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Lists of packages for apt, so that no test has to fetch them. */
const kept = ['--skip=cleanup/apt/lists'];
const included = 'adduser,openssh-client';
const root = fileURLToPath(new URL('../..', import.meta.url));

export default function build() {
  const given = process.env['RELEASE_UNDER_TEST'];
  const folder = given ?? mkdtempSync(join(tmpdir(), 'adit-release-test-'));
  process.env['RELEASE_UNDER_TEST'] = folder;
  const key = join(folder, 'key');
  if (!existsSync(key)) run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', key]);
  const release = join(folder, 'release');
  const node = ['--disable-warning=ExperimentalWarning', join(root, 'scripts', 'release', 'main.ts')];
  if (!existsSync(join(release, 'SHA256SUMS')))
    run(process.execPath, [...node, '--allow-changes', '--out', release, '--key', key]);
  const debian = join(folder, 'debian.tar');
  if (!existsSync(debian))
    run('mmdebstrap', ['--quiet', '--variant=minbase', ...kept, `--include=${included}`, 'bookworm', debian]);
  return () => {
    if (given === undefined) rmSync(folder, { recursive: true, force: true });
  };
}

function run(program, args) {
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  if (error) throw error;
  if (status !== 0) throw new Error(`${program} ended with ${status}`);
}
