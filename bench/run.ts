/**
 * One run of the benchmark: every step of the schedule with a fresh pair, and what came of it.
 * Rule: a step that fails is a note in the results and never ends the run; its pair and service are stopped before the
 * next step.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { bulk } from './load/bulk.ts';
import { idle } from './load/idle.ts';
import type { Load, LoadOptions, Sample } from './load/load.ts';
import { setup } from './load/setup.ts';
import { http, rate } from './load/wrk.ts';
import type { TestName } from './options.ts';
import { type Pair, startPair } from './pair.ts';
import type { Peer } from './peers/peer.ts';
import { makePki, type Pki } from './pki.ts';
import { findProgram } from './process/program.ts';
import { Results } from './report/results.ts';
import { row, rowNames } from './report/row.ts';
import { schedule, type Step } from './schedule.ts';
import { type Service, startHttp, startIperf3 } from './service.ts';

const loads = { bulk, http, rate, setup, idle } as const satisfies Readonly<Record<TestName, Load>>;

export interface RunOptions extends LoadOptions {
  readonly peers: readonly Peer[];
  readonly tests: readonly TestName[];
  readonly rounds: number;
  /** An empty folder; certificates, configurations and logs go there. */
  readonly folder: string;
  /** Told before and after each step. */
  readonly progress: (step: Step, outcome?: Sample | Error) => void;
}

/** Measures. Fails only when there is nothing to measure with (no certificates). */
export async function runBench(options: RunOptions): Promise<Results> {
  const { peers, tests, rounds, folder, progress } = options;
  const results = new Results({ pairs: peers, rows: rowNames.filter((name) => tests.includes(row(name).test)) });
  const bench = { pki: await makePki(join(folder, 'pki')), folder, options };
  for (const step of schedule({ rounds, tests, pairs: peers.map(({ name }) => name) })) {
    progress(step);
    const outcome = await measure(bench, step).catch((error: unknown) =>
      error instanceof Error ? error : new Error(String(error)),
    );
    if (outcome instanceof Error) results.notes.push({ ...step, text: outcome.message, failed: true });
    else {
      results.add(step, outcome.values);
      results.notes.push(...outcome.trouble.map((text) => ({ ...step, text, failed: false })));
    }
    progress(step, outcome);
  }
  return results;
}

interface Bench {
  readonly pki: Pki;
  readonly folder: string;
  readonly options: RunOptions;
}

async function measure({ pki, folder, options }: Bench, { test, pair: name }: Step): Promise<Sample> {
  const load: Load = loads[test];
  const absent = load.needs.find((program) => findProgram(program) === undefined);
  if (absent !== undefined) throw new Error(`${absent} is not installed`);
  const service = await startService(load.service, folder);
  try {
    const pair = await startPair(
      options.peers.find((peer) => peer.name === name)!,
      { pki, folder, servicePort: service.port },
    );
    try {
      const sample = await load.measure(pair, options).catch((error: unknown) => {
        throw explained(error, pair);
      });
      pair.check();
      return sample;
    } finally {
      await pair.stop();
    }
  } finally {
    await service.stop();
  }
}

/** What a load saw, and the last words of the half that broke it, if one did. */
function explained(error: unknown, pair: Pair): Error {
  const seen = error instanceof Error ? error.message : String(error);
  try {
    pair.check();
  } catch (gone) {
    return new Error(`${seen}; ${gone instanceof Error ? gone.message : String(gone)}`, { cause: error });
  }
  return new Error(seen, { cause: error });
}

function startService(kind: Load['service'], folder: string): Promise<Service> {
  const own = join(folder, `service-${kind}`);
  mkdirSync(own, { recursive: true });
  return kind === 'iperf3' ? startIperf3(own) : startHttp(own);
}
