/**
 * The command `adit` as one executable: the pinned Node with our bundles in it.
 * Rule: without code cache and without snapshot. With a code cache two builds differ, and neither can be made for
 * another machine. Nothing may strip the result: its program would be gone.
 * Spec: Node, "Single executable applications", `--build-sea`.
 */
import { chmodSync, copyFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Release } from './context.ts';
import type { Machine } from './machines.ts';
import { pinnedNode } from './pinned-node.ts';
import type { ProgramFile } from './programs.ts';
import { run } from './run.ts';

const start = 'executable-start.cjs';

export function executableName(version: string, machine: Machine): string {
  return `adit-${version}-linux-${machine.node}`;
}

/** Writes the executable of a machine and returns its path. `files` are those of the command `adit`. */
export function buildExecutable(release: Release, machine: Machine, files: readonly ProgramFile[]): string {
  const { scratch } = release;
  const name = executableName(release.version, machine);
  const config = `${name}.json`;
  const programs = files.filter((file) => file.name.endsWith('.js') && file.name !== 'main.js');
  // The path of the script is in the executable: it has to be the same wherever this runs.
  copyFileSync(join(import.meta.dirname, start), join(scratch, start));
  for (const file of programs) writeFileSync(join(scratch, file.name), file.contents);
  const settings = {
    main: start,
    assets: Object.fromEntries(programs.map((file) => [file.name, file.name])),
    executable: relative(scratch, pinnedNode(release, machine).program),
    output: name,
    disableExperimentalSEAWarning: true,
    useCodeCache: false,
    useSnapshot: false,
  };
  writeFileSync(join(scratch, config), JSON.stringify(settings));
  run(process.execPath, ['--build-sea', config], { cwd: scratch });
  const file = join(release.out, name);
  renameSync(join(scratch, name), file);
  chmodSync(file, 0o755);
  return file;
}
