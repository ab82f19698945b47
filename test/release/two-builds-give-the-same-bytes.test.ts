/** A second build of the same commit, in a clone elsewhere, with another umask, time zone and locale. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { succeed } from '../support/child.ts';
import { release, releaseKey } from '../support/released.ts';
import { scenario } from '../support/scenario.ts';
import { temporaryFolder } from '../support/scope.ts';
import { sha256OfFile } from '../support/sha256.ts';

const root = join(import.meta.dirname, '..', '..');

scenario(
  'every artifact has the same sum',
  ['git', 'npm'],
  async () => {
    const folder = join(temporaryFolder(), 'a longer path');
    await succeed('git', ['clone', '--quiet', '--no-hardlinks', root, folder], { timeoutMs: 60_000 });
    // What is not committed yet was in the first build too.
    const changed = 'git -C "$1" ls-files -comz --exclude-standard | tar -C "$1" --null -T - -cf - | tar -xf -';
    await succeed('sh', ['-ec', changed, 'sh', root], { cwd: folder });
    const out = join(temporaryFolder(), 'second');
    const env = { TZ: 'Pacific/Auckland', LC_ALL: 'C.UTF-8' };
    const build = 'umask 077 && npm run --silent release -- --allow-changes --out "$1" --key "$2"';
    await succeed('sh', ['-ec', build, 'sh', out, releaseKey], { cwd: folder, env, timeoutMs: 580_000 });

    expect(await sumsOf(out)).toEqual(await sumsOf(release));
  },
  600_000,
);

async function sumsOf(folder: string): Promise<Record<string, string>> {
  const names = readdirSync(folder).sort();
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await sha256OfFile(join(folder, name))])),
  );
}
