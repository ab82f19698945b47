/**
 * One run of the benchmark: every step of the schedule, and what came of it.
 * Rule: a step that fails is a note in the results and never ends the run; what it started is stopped before the next
 * step.
 */
import { join } from 'node:path';
import type { LoadOptions, Sample } from './load/load.ts';
import type { TestName } from './options.ts';
import type { Peer } from './peers/peer.ts';
import { makePki } from './pki.ts';
import { Results } from './report/results.ts';
import { row, rowNames } from './report/row.ts';
import { type Planned, schedule, type Step } from './schedule.ts';
import type { Bench, Test } from './test.ts';

export interface RunOptions extends LoadOptions {
  readonly peers: readonly Peer[];
  readonly tests: readonly Test[];
  readonly rounds: number;
  /** Whether tests that take long are measured in fewer rounds. */
  readonly fewerOfLong: boolean;
  /** An empty folder; certificates, configurations and logs go there. */
  readonly folder: string;
  /** Told before and after each step. */
  readonly progress: (step: Step, outcome?: Sample | Error) => void;
}

/** Measures. Fails only when there is nothing to measure with (no certificates). */
export async function runBench(options: RunOptions): Promise<Results> {
  const { tests, peers, rounds, folder } = options;
  const plan = planOf(options);
  const pairsOf = (test: TestName): readonly string[] => plan.find((planned) => planned.test === test)?.pairs ?? [];
  const results = new Results({
    pairs: peers,
    rows: rowNames.filter((name) => pairsOf(row(name).test).length > 0),
    rounds,
    planned: (pair, name) => pairsOf(row(name).test).includes(pair),
  });
  const bench = { pki: await makePki(join(folder, 'pki')), folder, options };
  for (const turn of schedule(plan))
    await Promise.all(
      turn.map(async (step) => {
        const test = tests.find((each) => each.test === step.test)!;
        const peer = peers.find(({ name }) => name === step.pair)!;
        options.progress(step);
        const outcome = await measure(test, peer, { ...bench, round: step.round });
        note(results, step, outcome);
        options.progress(step, outcome);
      }),
    );
  return results;
}

function planOf({ tests, peers, rounds, fewerOfLong }: RunOptions): Planned[] {
  return tests.map(({ test, suits, together = false, mostRounds = rounds }) => ({
    test,
    pairs: peers
      .filter((peer) => suits(peer) && (peer.tests === undefined || peer.tests.includes(test)))
      .map(({ name }) => name),
    rounds: fewerOfLong ? Math.min(rounds, mostRounds) : rounds,
    together,
  }));
}

async function measure(test: Test, peer: Peer, bench: Bench): Promise<Sample | Error> {
  try {
    const reason = test.unavailable();
    if (reason !== undefined) throw new Error(reason);
    return await test.measure(peer, bench);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function note(results: Results, step: Step, outcome: Sample | Error): void {
  if (outcome instanceof Error) {
    results.notes.push({ ...step, text: outcome.message, failed: true });
    return;
  }
  results.add(step, outcome.values);
  results.notes.push(...outcome.trouble.map((text) => ({ ...step, text, failed: false })));
}
