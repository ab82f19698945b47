/** The bundled programs that a release packs, and what they were made from. */
import { basename } from 'node:path';
import { filesOf } from '../bundle.mjs';
import type { Release } from './context.ts';

export interface ProgramFile {
  readonly name: string;
  readonly contents: Uint8Array | string;
}
export interface Programs {
  /** The files of each command, by its name. */
  readonly commands: Readonly<Record<'adit' | 'adit-ingress' | 'adit-egress', readonly ProgramFile[]>>;
  /** Paths from the repository. */
  readonly inputs: readonly string[];
}

export async function bundlePrograms({ commit }: Pick<Release, 'commit'>): Promise<Programs> {
  const define = { ADIT_COMMIT: JSON.stringify(commit) };
  const [adit, ingress, egress] = await Promise.all([
    filesOf('cli', define),
    filesOf('ingress', define),
    filesOf('egress', define),
  ]);
  const named = ({ files }: Awaited<ReturnType<typeof filesOf>>): ProgramFile[] =>
    files.map(({ path, contents }) => ({ name: basename(path), contents }));
  return {
    commands: { adit: named(adit), 'adit-ingress': named(ingress), 'adit-egress': named(egress) },
    inputs: [...new Set([adit, ingress, egress].flatMap(({ inputs }) => inputs))].sort(),
  };
}
