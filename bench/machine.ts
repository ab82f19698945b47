/** The machine and the programs of a run, in words: numbers without them cannot be compared. */
import { cpus, loadavg, release, totalmem, type } from 'node:os';
import type { Peer } from './peers/peer.ts';
import { findProgram, versionOf } from './process/program.ts';

/** A minute's load above which the numbers of a two-core machine are mostly those of its neighbours. */
const busyLoad = 0.5;

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  /** Waiting processes over the last minute, when the run began. */
  readonly load: number;
  /** By name of pair or load. */
  readonly versions: Readonly<Record<string, string>>;
}

/** Looks at the machine and asks every program for its version. */
export async function describeMachine(peers: readonly Peer[]): Promise<Machine> {
  const tools = [
    ['iperf3', '--version'],
    ['wrk', '-v'],
  ].flatMap(([name, flag]) => {
    const path = findProgram(name!);
    return path === undefined ? [] : [{ name: name!, version: () => versionOf([path, flag!]) }];
  });
  const versions: [string, string][] = [];
  const programs = peers.filter(({ kind, variantOf }) => kind !== 'bound' && variantOf === undefined);
  for (const { name, version } of [...programs, ...tools]) versions.push([name, await version()]);
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown processor',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    load: loadavg()[0]!,
    versions: Object.fromEntries(versions),
  };
}

/** One line about the hardware, one about the programs, one of warning if others are at work. */
export function machineLines({ processor, cores, memoryGiB, system, load, versions }: Machine): string[] {
  return [
    `${processor}, ${cores} cores, ${memoryGiB} GiB, ${system}`,
    Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
    ...(load > busyLoad
      ? [`the machine was busy when the run began (load ${load.toFixed(2)}): trust ratios, and those not much`]
      : []),
  ];
}
