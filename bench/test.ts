/**
 * A test of the benchmark: one group of rows, measured with one peer at a time.
 * Rule: it brings up what it measures and takes it down again, and fails rather than make up a value.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Load, LoadOptions, Sample } from './load/load.ts';
import type { TestName } from './options.ts';
import { type Pair, startPair } from './pair.ts';
import type { Peer } from './peers/peer.ts';
import type { Pki } from './pki.ts';
import { findProgram } from './process/program.ts';
import { type Service, startHttp, startIperf3 } from './service.ts';

/** What every test of a run shares. */
export interface Bench {
  readonly pki: Pki;
  /** For files of any kind. */
  readonly folder: string;
  readonly options: LoadOptions;
  /** From 0. */
  readonly round: number;
}

export interface Test {
  readonly test: TestName;
  /** Whether it says anything about this peer. */
  suits(peer: Peer): boolean;
  /** Why it cannot be run here, or undefined. */
  unavailable(): string | undefined;
  /** All pairs are measured at the same time, as none takes anything from another. */
  readonly together?: boolean;
  /** It takes long: so many rounds are enough, unless more are asked for. */
  readonly mostRounds?: number;
  measure(peer: Peer, bench: Bench): Promise<Sample>;
}

/** The first program of these that is not installed, in words. */
export function absent(programs: readonly string[]): string | undefined {
  const program = programs.find((name) => findProgram(name) === undefined);
  return program === undefined ? undefined : `${program} is not installed`;
}

/** A load, with a fresh pair and a fresh service for each measurement. */
export function onPair(load: Load): Test {
  const { test, needs, of, mostRounds, connections } = load;
  return {
    test,
    suits: ({ kind }) => of === undefined || kind === of || (of === 'tunnels' && kind !== 'bound'),
    unavailable: () => absent(needs),
    ...(mostRounds !== undefined && { mostRounds }),
    measure: async (peer, { pki, folder, options }) => {
      const service = await startService(load.service, folder);
      try {
        const site = { pki, folder, servicePort: service.port, ...(connections !== undefined && { connections }) };
        const pair = await startPair(peer, site);
        try {
          return await watched(pair, load.measure(pair, options));
        } finally {
          await pair.stop();
        }
      } finally {
        await service.stop();
      }
    },
  };
}

/** What a load saw; if it failed, also the last words of the half that broke it, if one did. */
export async function watched<T>(pair: Pair, work: Promise<T>): Promise<T> {
  try {
    const result = await work;
    pair.check();
    return result;
  } catch (error) {
    throw explained(error, pair);
  }
}

function explained(error: unknown, pair: Pair): Error {
  const seen = error instanceof Error ? error.message : String(error);
  try {
    pair.check();
  } catch (gone) {
    const why = gone instanceof Error ? gone.message : String(gone);
    return new Error(why === seen ? seen : `${seen}; ${why}`, { cause: error });
  }
  return new Error(seen, { cause: error });
}

function startService(kind: Load['service'], folder: string): Promise<Service> {
  const own = join(folder, `service-${kind}`);
  mkdirSync(own, { recursive: true });
  return kind === 'iperf3' ? startIperf3(own) : startHttp(own);
}
