/**
 * The multiplexer of a build by itself, in a process of its own (mux-program.ts).
 * Rule: it says nothing about sockets and TLS, and shows what the tables with those hide.
 */
import { join } from 'node:path';
import { run, tail } from '../process/child.ts';
import type { RowName } from '../report/row.ts';
import type { Test } from '../test.ts';

const program = join(import.meta.dirname, 'mux-program.ts');
const timeoutMs = 120_000;

export const mux: Test = {
  test: 'mux',
  suits: ({ kind, variantOf }) => kind === 'adit' && variantOf === undefined,
  unavailable: () => undefined,
  mostRounds: 5,
  measure: async ({ build }, { options }) => {
    const { status, stdout, stderr } = await run(
      [process.execPath, program, build!.root, String(Math.min(options.seconds, 2))],
      { name: 'the multiplexer alone', timeoutMs },
    );
    if (status !== 0) throw new Error(`mux: ${tail(stderr)}`);
    return { trouble: [], values: JSON.parse(stdout) as Partial<Record<RowName, number>> };
  },
};
