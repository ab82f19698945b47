/** git in a folder, with an author and without the configuration of this machine. */
import { succeed, type Finished } from './child.ts';

export type Git = (cwd: string, ...args: readonly string[]) => Promise<Finished>;

/** `home` is a folder of the test; `env` says how a remote is reached. */
export function gitAt(home: string, env: Readonly<Record<string, string>>): Git {
  const author = { GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a@example.org' };
  const committer = { GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a@example.org' };
  const all = { ...env, ...author, ...committer, GIT_CONFIG_NOSYSTEM: '1', HOME: home };
  return (cwd, ...args) => succeed('git', args, { cwd, env: all });
}

/** Commits all that is in a work tree to `main`, and pushes it. */
export async function commitAndPush(git: Git, work: string, message: string): Promise<void> {
  await git(work, 'checkout', '-q', '-B', 'main');
  await git(work, 'add', '.');
  await git(work, 'commit', '-qm', message);
  await git(work, 'push', '-q', 'origin', 'main');
}
