/**
 * Bytes as fast as they go, on one TCP connection or on eight, first up (client to service), then down: iperf3.
 * CPU is that of the pair alone, from before iperf3 starts until the last bytes have drained.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Pair } from '../pair.ts';
import { run } from '../process/child.ts';
import { requireProgram } from '../process/program.ts';
import { parseIperf3, type Transfer } from './iperf3-output.ts';
import type { Load } from './load.ts';

const drainMs = 200;
const warmUpBytes = 200_000_000;

/** One connection. */
export const bulk = bulkOf('bulk', 1);
/** Eight at once. */
export const bulk8 = bulkOf('bulk8', 8);

function bulkOf(test: 'bulk' | 'bulk8', streams: number): Load {
  return {
    test,
    service: 'iperf3',
    needs: ['iperf3'],
    async measure(pair, { seconds, warmUp }) {
      const parallel = ['-P', String(streams)];
      if (warmUp) await transfer(pair, ['-n', String(warmUpBytes), ...parallel], 30);
      const up = await counted(pair, ['-t', String(seconds), ...parallel], seconds);
      const down = await counted(pair, ['-t', String(seconds), '-R', ...parallel], seconds);
      return {
        trouble: [],
        values: {
          [`${test}-up`]: up.gigabitsPerSecond,
          ...(pair.tunnelled && { [`${test}-up-cpu`]: up.secondsPerGigabyte }),
          [`${test}-down`]: down.gigabitsPerSecond,
          ...(pair.tunnelled && { [`${test}-down-cpu`]: down.secondsPerGigabyte }),
        },
      };
    },
  };
}

async function counted(
  pair: Pair,
  args: readonly string[],
  seconds: number,
): Promise<{ readonly gigabitsPerSecond: number; readonly secondsPerGigabyte: number }> {
  const before = pair.processorSeconds();
  const { bytes, bitsPerSecond } = await transfer(pair, args, seconds + 20);
  await pause(drainMs);
  return {
    gigabitsPerSecond: bitsPerSecond / 1e9,
    secondsPerGigabyte: (pair.processorSeconds() - before) / (bytes / 1e9),
  };
}

async function transfer(pair: Pair, args: readonly string[], timeoutSeconds: number): Promise<Transfer> {
  const { stdout } = await run([requireProgram('iperf3'), '-c', '127.0.0.1', '-p', String(pair.port), '-J', ...args], {
    name: 'iperf3',
    timeoutMs: timeoutSeconds * 1000,
  });
  return parseIperf3(stdout);
}
