import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { run } from './process/child.ts';

let folder: string;
let repository: string;
const git = (...args: string[]): string =>
  execFileSync('git', ['-C', repository, '-c', 'user.name=a', '-c', 'user.email=a@b', ...args], { encoding: 'utf8' });
const commit = (script: string): void => {
  writeFileSync(join(repository, 'scripts', 'go.mjs'), script);
  git('add', '.');
  git('commit', '-qm', 'x');
};
const build = (text: string): string => `import { writeFileSync } from 'node:fs';
writeFileSync(new URL('../built', import.meta.url), '${text} ' + process.argv[2]);`;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'adit-revision-'));
  repository = join(folder, 'repository');
  mkdirSync(join(repository, 'scripts'), { recursive: true });
  git('init', '-q');
  commit(build('old'));
  commit("console.error('it does not compile'); process.exitCode = 1;");
  commit(build('new'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Builds a revision in a process of its own, as the end of one is part of it; what it answers, or says on stderr. */
async function built(revision: string): Promise<{ name: string; root: string; text: string } | string> {
  const module = pathToFileURL(join(import.meta.dirname, 'revision.ts')).href;
  const where = { repository, folder: join(folder, 'worktree') };
  const program = `
    import { readFileSync } from 'node:fs';
    const { buildRevision } = await import(${JSON.stringify(module)});
    try {
      const build = await buildRevision(${JSON.stringify(revision)}, ${JSON.stringify(where)});
      console.log(JSON.stringify({ ...build, text: readFileSync(build.root + '/built', 'utf8') }));
    } catch (error) { console.error(error.constructor.name + ': ' + error.message); }`;
  const { stdout, stderr } = await run(
    [process.execPath, '--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program],
    { timeoutMs: 60_000 },
  );
  return stderr === '' ? (JSON.parse(stdout) as { name: string; root: string; text: string }) : stderr;
}

test('a revision is built in a worktree of its own, which is gone when the program ends', async () => {
  expect(await built('HEAD~2')).toEqual({
    name: git('rev-parse', '--short', 'HEAD~2').trim(),
    root: join(folder, 'worktree'),
    text: 'old build',
  });
  expect(git('worktree', 'list').trim().split('\n')).toHaveLength(1);
  expect(() => readFileSync(join(folder, 'worktree', 'built'))).toThrow('ENOENT');
  expect(git('status', '--porcelain')).toBe('');
});
test('a revision that does not build is named, with what was said', async () => {
  expect(await built('HEAD~1')).toBe(
    `Error: revision ${git('rev-parse', '--short', 'HEAD~1').trim()} cannot be built: it does not compile\n`,
  );
  expect(git('worktree', 'list').trim().split('\n')).toHaveLength(1);
});
test('a revision that nobody has is a mistake in the command line', async () => {
  expect(await built('--all')).toBe(`UsageError: --compare: "--all" is no revision of ${repository}.\n`);
});
