/** A peer that is an installed program: the part that all of them share. */
import { findProgram, requireProgram, versionOf } from '../process/program.ts';
import type { PairCommands, PairSite, Peer } from './peer.ts';

export interface ProgramPeer {
  readonly program: string;
  /** The argument that makes it say its version. */
  readonly versionFlag: string;
  /** Both halves; `program` is the path of the program. */
  commands(program: string, site: PairSite): PairCommands;
}

/** Makes a peer out of the program of that name. */
export function programPeer({ program, versionFlag, commands }: ProgramPeer): Peer {
  return {
    name: program,
    kind: 'peer',
    unavailable: () => (findProgram(program) === undefined ? 'not installed' : undefined),
    version: () => versionOf([requireProgram(program), versionFlag]),
    commands: site => commands(requireProgram(program), site),
  };
}
