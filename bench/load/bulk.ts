/**
 * One TCP connection as fast as it goes, first up (client to service), then down: iperf3.
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

export const bulk: Load = {
  test: 'bulk',
  service: 'iperf3',
  needs: ['iperf3'],
  async measure(pair, { seconds, warmUp }) {
    if (warmUp) await transfer(pair, ['-n', String(warmUpBytes)], 30);
    const up = await counted(pair, ['-t', String(seconds)], seconds);
    const down = await counted(pair, ['-t', String(seconds), '-R'], seconds);
    return {
      trouble: [],
      values: {
        'bulk-up': up.gigabitsPerSecond,
        ...(pair.tunnelled && { 'bulk-up-cpu': up.secondsPerGigabyte }),
        'bulk-down': down.gigabitsPerSecond,
        ...(pair.tunnelled && { 'bulk-down-cpu': down.secondsPerGigabyte }),
      },
    };
  },
};

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
