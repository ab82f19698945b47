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
import type { Pair } from '../pair.ts';
import { Child } from '../process/child.ts';
import type { Load } from './load.ts';
import { memoryAtRest, ownBytes } from './memory-at-rest.ts';

const client = join(import.meta.dirname, 'idle-client.ts');
/** Enough for every worker or thread of a pair to have loaded its code. */
const warmUps = 4;
/** Those of the warm-up may not be gone yet. */
const spareConnections = 32;
const manyConnections = 9_900;
const openTimeoutMs = 90_000;

/** A thousand, and the pair without any. */
export const idle: Load = {
  test: 'idle',
  service: 'http',
  needs: ['nginx'],
  of: 'tunnels',
  mostRounds: 5,
  measure: async (pair, { idleConnections }) => {
    const { base, each } = await grown(pair, idleConnections);
    return { trouble: [], values: { idle: each / 1024, 'idle-base': base / 2 ** 20 } };
  },
};

/** Some ten thousand: with two descriptors each they fit into 20,000, which a login may have at most in many places. */
export const idle10k: Load = {
  test: 'idle10k',
  service: 'http',
  needs: ['nginx'],
  of: 'tunnels',
  mostRounds: 2,
  connections: manyConnections + spareConnections,
  measure: async (pair) => {
    return { trouble: [], values: { idle10k: (await grown(pair, manyConnections)).each / 1024 } };
  },
};

/** Bytes of the pair before, and for each connection. */
async function grown(pair: Pair, count: number): Promise<{ readonly base: number; readonly each: number }> {
  await holding(pair, warmUps, () => Promise.resolve());
  const base = await memoryAtRest(pair);
  const without = ownBytes(base);
  const together = ownBytes(await holding(pair, count, () => memoryAtRest(pair)));
  if (together <= without)
    throw new Error(
      `idle: memory did not grow with ${count} connections (${without} bytes before, ${together} with them)`,
    );
  return { base: base.total, each: (together - without) / count };
}

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
