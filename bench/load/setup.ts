/**
 * From connect to the first byte of the answer, one connection after the other.
 * The clock runs in a process of its own (setup-client.ts), so that nothing else of the benchmark is in its way.
 */
import { join } from 'node:path';
import { run, tail } from '../process/child.ts';
import { percentile } from '../report/statistics.ts';
import type { Load } from './load.ts';

const client = join(import.meta.dirname, 'setup-client.ts');
const warmUps = 500;
const fewWarmUps = 20;
const timeoutMs = 60_000;

export const setup: Load = {
  test: 'setup',
  service: 'http',
  needs: ['nginx'],
  async measure(pair, { setups, warmUp }) {
    const { status, stdout, stderr } = await run(
      [process.execPath, client, String(pair.port), String(warmUp ? warmUps : fewWarmUps), String(setups)],
      { name: 'the client of "setup"', timeoutMs },
    );
    if (status !== 0) throw new Error(`setup: ${tail(stderr)}`);
    const times = JSON.parse(stdout) as number[];
    if (times.length !== setups) throw new Error(`setup: ${times.length} of ${setups} connections were timed`);
    return { trouble: [], values: { setup: percentile(times, 50), 'setup-p99': percentile(times, 99) } };
  },
};
