/**
 * All artifacts of a release, in the order in which they need each other.
 * Rule: two builds of one commit give the same bytes, in whatever folder. The signature is the only exception, if the
 * kind of key makes it one.
 */
import { statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Release } from './context.ts';
import { buildDebianPackage } from './debian-package.ts';
import { buildExecutable } from './executable.ts';
import { buildImage } from './image.ts';
import { installerOf } from './installer.ts';
import { librariesIn } from './libraries.ts';
import { manualOf } from './manual.ts';
import { billOf } from './materials.ts';
import { noticesOf } from './notices.ts';
import { buildNpmPackage } from './npm-package.ts';
import { pinnedNode } from './pinned-node.ts';
import { bundlePrograms } from './programs.ts';
import { signersOf, sumsName, writeSums } from './sums.ts';

export const kinds = ['npm', 'executables', 'deb', 'image'] as const;
export type Kind = (typeof kinds)[number];

export interface How {
  /** Packages and image take the executables with them. */
  readonly kinds: readonly Kind[];
  /** The private key that signs; without it the release is not signed. */
  readonly key?: string;
  readonly say: (line: string) => void;
}

/** Writes everything into `release.out`. */
export async function buildRelease(release: Release, { kinds: wanted, key, say }: How): Promise<void> {
  const { root, out, version, machines } = release;
  const made = (file: string): void => say(`${basename(file).padEnd(32)} ${(statSync(file).size / 1e6).toFixed(1)} MB`);
  const write = (name: string, text: string, mode = 0o644): void => {
    writeFileSync(join(out, name), text, { mode });
    made(join(out, name));
  };
  say(`adit ${version}, commit ${release.commit}`);

  const programs = await bundlePrograms(release);
  const libraries = librariesIn(root, programs.inputs);
  const manual = manualOf(release);
  const nodes = machines.map((machine) => ({ machine: machine.node, ...pinnedNode(release, machine) }));
  const notices = noticesOf(libraries, nodes[0]);
  if (wanted.includes('npm')) made(buildNpmPackage(release, { programs, manual, notices: noticesOf(libraries) }));
  if (wanted.some((kind) => kind !== 'npm'))
    for (const machine of machines) made(buildExecutable(release, machine, programs.commands.adit));
  if (wanted.includes('deb'))
    for (const machine of machines) made(buildDebianPackage(release, machine, { manual, notices }));
  const image = wanted.includes('image') ? buildImage(release, notices) : undefined;
  if (image !== undefined) made(image.file);

  write('THIRD-PARTY-NOTICES', notices);
  write(`adit-${version}.cdx.json`, billOf(release, { libraries, nodes, packages: image?.packages ?? [] }));
  const signers = key === undefined ? undefined : signersOf(key);
  if (signers !== undefined) write('release-signers', signers);
  write('install.sh', installerOf(release, signers), 0o755);
  await writeSums(out, key);
  made(join(out, sumsName));
  say(
    key === undefined
      ? 'NOT SIGNED: no key. Give one with --key FILE or RELEASE_SIGNING_KEY.'
      : `signed: ${sumsName}.sig, by the key in release-signers`,
  );
}
