/**
 * Memory of connections that are open and do nothing: proportional set size of the pair with them, less that without,
 * shared out. Files in memory are left out of both: code belongs to no connection, and a pair that runs on Node shares
 * it with the client of this load, whose start alone would take from the pair what it has to show.
 * Rule: the pair is fresh and has carried only a few connections before, so that what a runtime has not yet collected
 * is charged to the thousand and never hidden in the reading without them; both readings wait until memory is at rest;
 * every connection has carried an answer and is still open when the reading is taken.
 */
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Pair } from '../pair.ts';
import type { Memory } from '../process/accounting.ts';
import { Child } from '../process/child.ts';
import type { Load } from './load.ts';

const client = join(import.meta.dirname, 'idle-client.ts');
/** Enough for every worker or thread of a pair to have loaded its code. */
const warmUps = 4;
const sampleMs = 250;
const longestRestMs = 5000;
const openTimeoutMs = 60_000;

export const idle: Load = {
  test: 'idle',
  service: 'http',
  needs: ['nginx'],
  async measure(pair, { idleConnections }) {
    if (!pair.tunnelled) return { trouble: [], values: {} };
    await holding(pair, warmUps, () => Promise.resolve());
    const base = await memoryAtRest(pair);
    const without = ownBytes(base);
    const together = ownBytes(await holding(pair, idleConnections, () => memoryAtRest(pair)));
    if (together <= without)
      throw new Error(
        `idle: memory did not grow with ${idleConnections} connections (${without} bytes before, ${together} ` +
          'with them)',
      );
    return {
      trouble: [],
      values: { idle: (together - without) / idleConnections / 1024, 'idle-base': base.total / 2 ** 20 },
    };
  },
};

/** Runs `work` while `count` connections are open. */
async function holding<T>(pair: Pair, count: number, work: () => Promise<T>): Promise<T> {
  const child = new Child([process.execPath, client, String(pair.port), String(count)], {
    name: 'the client of "idle"',
  });
  let complaint = '';
  child.process.stderr!.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  const lines = createInterface(child.process.stdout!)[Symbol.asyncIterator]();
  const timer = setTimeout(() => child.kill(), openTimeoutMs);
  const expectLine = async (wanted: string): Promise<void> => {
    const { value } = (await lines.next()) as { readonly value: string | undefined };
    if (value === wanted) return;
    if (value !== undefined)
      throw new Error(`idle: of ${count} connections only ${value.replace(/\D+/, '')} stayed open`);
    await child.exit;
    throw new Error(`idle: ${complaint.trim() || `${count} connections took longer than ${openTimeoutMs / 1000} s`}`);
  };
  try {
    await expectLine(`open ${count}`);
    const result = await work();
    child.process.stdin!.end();
    await expectLine(`held ${count}`);
    await child.exit;
    return result;
  } finally {
    clearTimeout(timer);
    child.kill();
  }
}

/** What is no file. */
function ownBytes({ total, file }: Memory): number {
  return total - file;
}

/** The memory once three samples in a row differ by less than one percent, at most 5 s from now. */
async function memoryAtRest(pair: Pair): Promise<Memory> {
  const deadline = performance.now() + longestRestMs;
  const samples: Memory[] = [];
  for (;;) {
    await pause(sampleMs);
    samples.push(pair.memory());
    const last = samples.slice(-3).map(ownBytes);
    const largest = Math.max(...last);
    if ((last.length === 3 && largest - Math.min(...last) < largest / 100) || performance.now() > deadline)
      return samples.at(-1)!;
  }
}
