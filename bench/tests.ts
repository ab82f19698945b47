/** Every test of the benchmark by its name. */
import { linkTestList } from './link/links.ts';
import { bulk, bulk8 } from './load/bulk.ts';
import { churn } from './load/churn.ts';
import { idle, idle10k } from './load/idle.ts';
import { rest } from './load/rest.ts';
import { setup } from './load/setup.ts';
import { http, rate } from './load/wrk.ts';
import { mux } from './mux/mux.ts';
import type { TestName } from './options.ts';
import { start } from './start/start.ts';
import { onPair, type Test } from './test.ts';

const loads = [bulk, bulk8, http, rate, setup, idle, idle10k, churn, rest];
const tests: readonly Test[] = [...loads.map(onPair), start, ...linkTestList, mux];

/** The tests of these names, in their order. */
export function testsOf(names: readonly TestName[]): Test[] {
  return names.map((name) => tests.find(({ test }) => test === name)!);
}
