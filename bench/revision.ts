/**
 * Another revision of this repository, checked out into a worktree in a temporary folder and built there.
 * Rule: the checkout that the benchmark runs from is not touched; whatever ends the program takes the worktree with it.
 */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type AditBuild, UsageError } from './options.ts';
import { run, tail } from './process/child.ts';

const buildMs = 900_000;

/**
 * Checks out and builds `revision` in `folder`, which is made; the build is named by its short hash. Fails with
 * UsageError when `repository` does not know the revision, and when the revision does not build.
 */
export async function buildRevision(
  revision: string,
  { repository, folder }: { readonly repository: string; readonly folder: string },
): Promise<AditBuild> {
  const git = ['git', '-C', repository];
  const asked = await run(
    [...git, 'rev-parse', '--verify', '--quiet', '--short', '--end-of-options', `${revision}^{commit}`],
    {
      timeoutMs: 30_000,
    },
  );
  if (asked.status !== 0) throw new UsageError(`--compare: "${revision}" is no revision of ${repository}.`);
  const name = asked.stdout.trim();
  process.on('exit', () => {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    // Forgets this worktree alone: others whose folder is missing for now are not ours to prune.
    spawnSync('git', ['-C', repository, 'worktree', 'remove', '--force', folder], { stdio: 'ignore' });
  });
  await step(name, [...git, 'worktree', 'add', '--quiet', '--detach', folder, name]);
  await step(name, [process.execPath, join(folder, 'scripts', 'go.mjs'), 'build']);
  return { name, root: folder };
}

async function step(name: string, command: readonly string[]): Promise<void> {
  const { status, stdout, stderr } = await run(command, { timeoutMs: buildMs });
  if (status !== 0) throw new Error(`revision ${name} cannot be built: ${tail(`${stdout}\n${stderr}`)}`);
}
