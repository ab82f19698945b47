/**
 * Which pair is measured when.
 * Rule: within a round every test visits all pairs one after the other, so that the values of a row lie close in time;
 * each round starts one pair further, so that none is always first.
 */
import type { TestName } from './options.ts';

export interface Step {
  readonly round: number;
  readonly test: TestName;
  readonly pair: string;
}

/** Every step of a run in order; rounds count from 0. */
export function schedule({
  rounds,
  tests,
  pairs,
}: {
  readonly rounds: number;
  readonly tests: readonly TestName[];
  readonly pairs: readonly string[];
}): Step[] {
  return Array.from({ length: rounds }, (_, round) =>
    tests.flatMap((test) => rotate(pairs, round).map((pair) => ({ round, test, pair }))),
  ).flat();
}

function rotate<T>(values: readonly T[], by: number): T[] {
  const at = values.length === 0 ? 0 : by % values.length;
  return [...values.slice(at), ...values.slice(0, at)];
}
