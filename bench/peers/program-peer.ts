/** A peer that is an installed program: the part that all of them share. */
import { findProgram, requireProgram, versionOf } from '../process/program.ts';
import type { PairCommands, PairSite, Peer } from './peer.ts';

export interface ProgramPeer {
  readonly program: string;
  /** Default: `peer`. */
  readonly kind?: 'peer' | 'rival';
  /** The argument that prints its version. */
  readonly versionFlag: string;
  /** What is wrong with the installed program at this path, or undefined; default: nothing. */
  fault?(program: string): string | undefined;
  /** Both halves; `program` is the path of the program. */
  commands(program: string, site: PairSite): PairCommands;
}

/** Makes a peer out of the program of that name. */
export function programPeer({ program, kind = 'peer', versionFlag, fault, commands }: ProgramPeer): Peer {
  return {
    name: program,
    kind,
    unavailable: () => {
      const path = findProgram(program);
      return path === undefined ? 'not installed' : fault?.(path);
    },
    version: () => versionOf([requireProgram(program), versionFlag]),
    commands: (site) => commands(requireProgram(program), site),
  };
}
