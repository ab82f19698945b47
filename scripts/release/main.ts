/**
 * Builds a release: every artifact, from the tree as it is committed.
 * usage: npm run release -- [--out FOLDER] [--only npm,executables,deb,image] [--machines x64,arm64] [--key FILE]
 *        [--allow-changes]
 */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { buildRelease, kinds, type Kind } from './release.ts';
import { releaseOf } from './context.ts';
import { machineOf, machines } from './machines.ts';

const root = resolve(import.meta.dirname, '../..');
const ourOwn = join(root, 'release');

try {
  const scratch = mkdtempSync(join(tmpdir(), 'adit-release-'));
  try {
    await main(scratch);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
} catch (error) {
  process.stderr.write(`release: ${(error as Error).message}\n`);
  process.exitCode = 1;
}

async function main(scratch: string): Promise<void> {
  const { values } = parseArgs({
    options: {
      out: { type: 'string', default: ourOwn },
      only: { type: 'string', default: kinds.join(',') },
      machines: { type: 'string', default: machines.map(({ node }) => node).join(',') },
      key: { type: 'string', default: process.env['RELEASE_SIGNING_KEY'] ?? '' },
      'allow-changes': { type: 'boolean', default: false },
    },
  });
  const out = resolve(values.out);
  const wanted = values.only.split(',').map((name) => {
    if (!kinds.includes(name as Kind)) throw new RangeError(`--only ${name}: one of ${kinds.join(', ')}`);
    return name as Kind;
  });
  // Read first: a mistake must not cost the release that is there.
  const release = releaseOf({
    root,
    out,
    scratch,
    machines: values.machines.split(',').map(machineOf),
    allowChanges: values['allow-changes'],
  });
  if (out === ourOwn) for (const name of readdirSync(out)) rmSync(join(out, name), { recursive: true });
  else if (existsSync(out) && readdirSync(out).length > 0) throw new Error(`${out} is not empty`);
  await buildRelease(release, {
    kinds: wanted,
    say: (line) => process.stdout.write(`${line}\n`),
    ...(values.key !== '' && { key: resolve(values.key) }),
  });
}
