import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { releaseOf } from './context.ts';
import { machineOf } from './machines.ts';
import { run } from './run.ts';

const folder = mkdtempSync(join(tmpdir(), 'adit-context-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A repository of one commit, and where its release goes. */
const root = join(folder, 'root');
mkdirSync(root);
writeFileSync(join(root, 'package.json'), '{ "version": "1.2.3" }');
const who = { GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a@a', GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a@a' };
const env = { ...process.env, ...who, GIT_COMMITTER_DATE: '1700000000 +0000', GIT_CONFIG_GLOBAL: '/dev/null' };
for (const args of [
  ['init', '--quiet'],
  ['add', '.'],
  ['commit', '--quiet', '-m', 'first'],
])
  run('git', args, { cwd: root, env });
const place = { root, out: join(folder, 'out'), scratch: join(folder, 'scratch'), machines: [machineOf('x64')] };

test('version, commit and time are those of the commit', () => {
  const commit = run('git', ['rev-parse', 'HEAD'], { cwd: root }).toString().trim();
  expect(releaseOf(place, {})).toMatchObject({ version: '1.2.3', commit, time: 1_700_000_000 });
});

test('SOURCE_DATE_EPOCH is the time, if it is one', () => {
  expect(releaseOf(place, { SOURCE_DATE_EPOCH: '5' }).time).toBe(5);
  expect(() => releaseOf(place, { SOURCE_DATE_EPOCH: 'today' })).toThrow('SOURCE_DATE_EPOCH is not a number');
});

test('a tree with changes is refused, or marked', () => {
  const file = join(root, 'new');
  writeFileSync(file, '');
  try {
    expect(() => releaseOf(place, {})).toThrow('changes that are not committed:\n?? new');
    expect(releaseOf({ ...place, allowChanges: true }, {}).commit).toMatch(/^[0-9a-f]{40}\+changes$/);
  } finally {
    rmSync(file);
  }
});

test('there is no machine but those two', () => {
  expect(() => machineOf('s390x')).toThrow('s390x: one of x64, arm64');
});
