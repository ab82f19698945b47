/**
 * What every artifact of one release is made from: the tree, its version, its commit and one time.
 * Rule: the tree is clean, so that the commit says what is inside; the time is that of the commit, or
 * SOURCE_DATE_EPOCH, so that a second build gives the same bytes.
 * Spec: reproducible-builds.org, SOURCE_DATE_EPOCH.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Machine } from './machines.ts';
import { run } from './run.ts';

export interface Release {
  /** The repository. */
  readonly root: string;
  /** Where the artifacts go. */
  readonly out: string;
  /** A folder for what is made on the way; its path reaches no artifact. */
  readonly scratch: string;
  /** A folder for what was downloaded and checked; another build uses it again. */
  readonly cache: string;
  readonly version: string;
  readonly commit: string;
  /** Seconds since 1970. */
  readonly time: number;
  readonly machines: readonly Machine[];
}

export interface Place extends Pick<Release, 'root' | 'out' | 'scratch' | 'machines'> {
  /** Builds what is not committed, and marks the commit with `+changes`. */
  readonly allowChanges?: boolean;
}

/** Reads what the tree says of itself. Throws if it has changes that are not committed, unless they are allowed. */
export function releaseOf(place: Place, env: NodeJS.ProcessEnv = process.env): Release {
  const git = (...args: string[]): string => run('git', args, { cwd: place.root, from: 'git' }).toString().trim();
  const changes = git('status', '--porcelain');
  if (changes !== '' && place.allowChanges !== true)
    throw new Error(`the tree has changes that are not committed:\n${changes}`);
  const epoch = env['SOURCE_DATE_EPOCH'] ?? git('log', '-1', '--format=%ct');
  if (!/^\d{1,10}$/.test(epoch)) throw new RangeError(`SOURCE_DATE_EPOCH is not a number of seconds: ${epoch}`);
  const { version } = JSON.parse(readFileSync(join(place.root, 'package.json'), 'utf8')) as { version: string };
  const cache = join(place.root, 'node_modules', '.cache', 'release');
  for (const folder of [place.out, place.scratch, cache]) mkdirSync(folder, { recursive: true });
  return {
    root: place.root,
    out: place.out,
    scratch: place.scratch,
    machines: place.machines,
    cache,
    version,
    commit: `${git('rev-parse', 'HEAD')}${changes === '' ? '' : '+changes'}`,
    time: Number(epoch),
  };
}
