/**
 * What a blocklist costs: memory, time to load, time of a look-up, and how long nobody else had a turn while it was
 * loaded. node --expose-gc bench/blocklist.ts [NAMES]
 * Rule: times are what the thread worked (needs Node 23.9), so that a busy machine does not count. What is measured
 * runs in a heap without the names: they are made again for each step. Names like those of public lists: two to four
 * labels, 20 bytes on average; every look-up of a name that is there is checked.
 */
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadBlocklist, loadBlocklistInSlices } from '../packages/egress/src/policy/blocklist-file.ts';
import type { Blocklist } from '../packages/egress/src/policy/blocklist.ts';

const count = Number(process.argv[2] ?? 1_000_000);
/** What this thread has worked, ms: not what it waited for a busy machine. */
const worked = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
};
const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

/** The same numbers in every run. */
function numbers(): () => number {
  let state = 12_345;
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0);
}

const endings = ['com', 'net', 'org', 'example', 'co.uk'];

/** Names in lots of a thousand. */
function* lotsOf(total: number): Generator<string[]> {
  const next = numbers();
  const word = (): string => next().toString(36);
  for (let made = 0; made < total; made += 1_000) {
    yield Array.from(
      { length: Math.min(1_000, total - made) },
      (_, at) => `${word()}.${(made + at).toString(36)}${word().slice(0, 4)}.${endings[at % endings.length]!}`,
    );
  }
}

/** Looks up every name; `before` makes it another one. */
function lookUps(list: Blocklist, before: string): { readonly found: number; readonly ns: number } {
  let [found, spentMs] = [0, 0];
  for (const lot of lotsOf(count)) {
    const names = lot.map((name) => Buffer.from(before + name).toString('latin1'));
    const startedMs = worked();
    for (const name of names) if (list.blocks(name) !== undefined) found++;
    spentMs += worked() - startedMs;
  }
  return { found, ns: (spentMs * 1e6) / count };
}

/** Resolves with the result, and the longest time between two turns, ms. */
async function turnsDuring<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly longestMs: number }> {
  let [longestMs, last, running] = [0, worked(), true];
  const tick = (): void => {
    const now = worked();
    longestMs = Math.max(longestMs, now - last);
    last = now;
    if (running) setImmediate(tick);
  };
  tick();
  const result = await work();
  running = false;
  return { result, longestMs };
}

const folder = mkdtempSync(join(tmpdir(), 'adit-bench-'));
const file = join(folder, 'list.txt');
try {
  for (const lot of lotsOf(count)) appendFileSync(file, lot.map((name) => `${name}\n`).join(''));
  globalThis.gc?.();
  const before = process.memoryUsage();
  let startedMs = worked();
  const list = loadBlocklist(file);
  const atOnceMs = worked() - startedMs;
  globalThis.gc?.();
  const after = process.memoryUsage();
  startedMs = worked();
  const { longestMs } = await turnsDuring(() => loadBlocklistInSlices(file, new AbortController().signal));
  const slicesMs = worked() - startedMs;
  const hits = lookUps(list, '');
  const misses = lookUps(list, 'x');
  if (hits.found !== count || misses.found !== 0)
    throw new Error(`${hits.found} of ${count} names found, and ${misses.found} that are not there`);
  console.log(`names               ${list.size}`);
  console.log(
    `memory              ${mib(list.bytes)} by its own count; the process has ` +
      `${mib(after.arrayBuffers - before.arrayBuffers)} more of buffers`,
  );
  console.log(`load at the start   ${Math.round(atOnceMs)} ms`);
  console.log(`load in slices      ${Math.round(slicesMs)} ms, the longest turn ${longestMs.toFixed(1)} ms`);
  console.log(
    `a look-up           ${Math.round(hits.ns)} ns of a name that is there, ${Math.round(misses.ns)} ns of one ` +
      'that is not',
  );
} finally {
  rmSync(folder, { recursive: true });
}
