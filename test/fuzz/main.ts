/**
 * The fuzzer: every decoder and state machine against random input, by seed.
 * usage: node test/fuzz/main.ts [--cases N] [--seed S] [--only TARGET [--path PATH]]
 * Rule: each target says what may be thrown; anything else is a failure, told with the seed and path that reproduce it.
 * Ends with `N passed, N failed`.
 */
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { targets } from './targets.ts';

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '100000' },
    seed: { type: 'string' },
    only: { type: 'string' },
    path: { type: 'string' },
  },
});
const cases = whole('cases', values.cases);
const seed = values.seed === undefined ? Date.now() >>> 0 : whole('seed', values.seed);
const chosen = targets.filter(({ name }) => values.only === undefined || name === values.only);
if (chosen.length === 0) {
  process.stderr.write(`no target is called ${values.only}; there are ${targets.map(({ name }) => name).join(', ')}\n`);
  process.exit(2);
}

let failed = 0;
for (const { name, property, share } of chosen) {
  const started = performance.now();
  const numRuns = Math.max(1, Math.round(cases * share));
  const result = await fc.check(property() as fc.IAsyncProperty<unknown>, {
    numRuns,
    seed,
    ...(values.path !== undefined && { path: values.path }),
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (result.failed) {
    failed++;
    process.stdout.write(
      `${name}: FAILED after ${result.numRuns} of ${numRuns} cases; to see it again: --only ${name} --seed ` +
        `${seed} --path ${result.counterexamplePath}\n${fc.stringify(result.counterexample)}\n` +
        `${String(result.errorInstance instanceof Error ? result.errorInstance.stack : result.errorInstance)}\n`,
    );
  } else process.stdout.write(`${name}: ${numRuns} cases in ${seconds} s\n`);
}
process.stdout.write(`seed ${seed}\n${chosen.length - failed} passed, ${failed} failed\n`);
process.exitCode = failed > 0 ? 1 : 0;

function whole(name: string, text: string): number {
  if (/^\d{1,12}$/.test(text)) return Number(text);
  process.stderr.write(`--${name} takes a whole number, not ${text}\n`);
  process.exit(2);
}
