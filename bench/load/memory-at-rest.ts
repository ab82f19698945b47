/** The memory of a pair once it changes no more. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Pair } from '../pair.ts';
import type { Memory } from '../process/accounting.ts';

const sampleMs = 250;
const longestRestMs = 5000;

/** What is no file. */
export function ownBytes({ total, file }: Memory): number {
  return total - file;
}

/** The memory once three samples in a row differ by less than one percent, at most 5 s from now. */
export async function memoryAtRest(pair: Pair): Promise<Memory> {
  const deadline = performance.now() + longestRestMs;
  const samples: Memory[] = [];
  for (;;) {
    await pause(sampleMs);
    pair.check();
    samples.push(pair.memory());
    const last = samples.slice(-3).map(ownBytes);
    const largest = Math.max(...last);
    if ((last.length === 3 && largest - Math.min(...last) < largest / 100) || performance.now() > deadline)
      return samples.at(-1)!;
  }
}
