/**
 * Which pair is measured when.
 * Rule: within a round every test visits all its pairs one after the other, so that the values of a row lie close in
 * time; each round starts one pair further, so that none is always first. Pairs that are measured together stand in one
 * turn.
 */
import type { TestName } from './options.ts';

export interface Step {
  readonly round: number;
  readonly test: TestName;
  readonly pair: string;
}

/** A test with its pairs. `rounds`: it is over after so many. */
export interface Planned {
  readonly test: TestName;
  readonly pairs: readonly string[];
  readonly rounds: number;
  readonly together: boolean;
}

/** Every turn of a run in order, each the steps that are taken at the same time; rounds count from 0. */
export function schedule(tests: readonly Planned[]): Step[][] {
  const rounds = Math.max(0, ...tests.map((planned) => planned.rounds));
  return Array.from({ length: rounds }, (_, round) =>
    tests
      .filter((planned) => round < planned.rounds)
      .flatMap(({ test, pairs, together }) => {
        const steps = rotate(pairs, round).map((pair): Step => ({ round, test, pair }));
        return together ? [steps] : steps.map((step) => [step]);
      }),
  )
    .flat()
    .filter((steps) => steps.length > 0);
}

function rotate<T>(values: readonly T[], by: number): T[] {
  const at = values.length === 0 ? 0 : by % values.length;
  return [...values.slice(at), ...values.slice(0, at)];
}
