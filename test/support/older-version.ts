/**
 * An older version of Adit, built from the history of this repository by its own `npm run build`.
 * Rule: built once, beside, and then renamed into the cache, so that two tests that need it do not meet. Nothing of
 * this tree is in it. A clone without that commit fails and says what to do; nothing is fetched from a remote.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
/** What Adit was before the work on its release: until there is a tag, the version that halves are upgraded from. */
export const pinnedCommit = '44078c072d1506ecf8cf0bcabe4fe0a07649404d';

/** The program `adit` of that commit: a path for Node. Takes half a minute when it is asked for the first time. */
export function olderAdit(commit: string = pinnedCommit, repository = root): string {
  const cache = join(repository, 'node_modules', '.cache', 'adit-versions');
  const folder = join(cache, commit);
  const program = join(folder, 'packages', 'cli', 'dist', 'main.js');
  if (existsSync(program)) return program;
  if (!has(repository, commit))
    throw new Error(
      `commit ${commit} is not in this clone, and the test of upgrades needs it: "git fetch --unshallow" brings it`,
    );
  const building = `${folder}.${process.pid}`;
  rmSync(building, { recursive: true, force: true });
  mkdirSync(building, { recursive: true });
  const tree = execFileSync('git', ['-C', repository, 'archive', commit], { maxBuffer: 1 << 28 });
  execFileSync('tar', ['-x', '-C', building], { input: tree });
  build(building);
  try {
    renameSync(building, folder);
  } catch (error) {
    if (!existsSync(program)) throw error;
    rmSync(building, { recursive: true, force: true }); // another test was faster
  }
  return program;
}

function has(repository: string, commit: string): boolean {
  try {
    execFileSync('git', ['-C', repository, 'cat-file', '-e', `${commit}^{commit}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function build(folder: string): void {
  try {
    execFileSync(process.execPath, [join('scripts', 'go.mjs'), 'build'], {
      cwd: folder,
      encoding: 'utf8',
      stdio: 'pipe',
    });
  } catch (error) {
    const { stdout, stderr } = error as { readonly stdout?: string; readonly stderr?: string };
    throw new Error(`the older version does not build:\n${stdout ?? ''}${stderr ?? ''}`, { cause: error });
  }
}
