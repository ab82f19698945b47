/**
 * Program: `node mux-program.ts ROOT SECONDS`. Two sessions of the build in ROOT against each other, each load for
 * SECONDS of CPU time; writes the rows of the test as JSON.
 * Rule: time is CPU time of the whole process, garbage collection included, so that a busy machine does not count, and
 * bytes are those that V8 allocated; both after a start that is not measured.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { getHeapStatistics } from 'node:v8';
import { bulkLoad, openLoad, smallLoad, type Sessions, type Spent } from './exchange.ts';

const [root = '.', seconds = '1'] = process.argv.slice(2);
const source = join(root, 'packages', 'shared', 'src', 'protocol', 'mux', 'session.ts');
const { MuxSession } = (await import(pathToFileURL(source).href)) as Sessions;
const warmUpSeconds = 0.2;

/** Repeats a load for some CPU seconds, and says what one CPU second brought and what was allocated meanwhile. */
function measured(load: (sessions: Sessions) => () => Spent): Spent & { readonly seconds: number; heap: number } {
  const turn = load({ MuxSession });
  repeat(turn, warmUpSeconds);
  const heap = allocated();
  const spent = repeat(turn, Number(seconds));
  return { ...spent, heap: allocated() - heap };
}

function repeat(turn: () => Spent, wantedSeconds: number): Spent & { readonly seconds: number } {
  const startedAt = worked();
  let [bytes, count] = [0, 0];
  for (;;) {
    for (let left = 64; left > 0; left--) {
      const spent = turn();
      bytes += spent.bytes;
      count += spent.count;
    }
    const passed = worked() - startedAt;
    if (passed >= wantedSeconds) return { bytes, count, seconds: passed };
  }
}

function worked(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function allocated(): number {
  return (getHeapStatistics() as unknown as { readonly total_allocated_bytes: number }).total_allocated_bytes;
}

const bulk = measured(bulkLoad);
const small = measured(smallLoad);
const open = measured(openLoad);
process.stdout.write(
  JSON.stringify({
    'mux-bulk': bulk.bytes / 1e9 / bulk.seconds,
    'mux-bulk-heap': bulk.heap / 1024 / (bulk.bytes / 1e6),
    'mux-small': small.count / small.seconds,
    'mux-small-heap': small.heap / small.count,
    'mux-open': open.count / open.seconds,
    'mux-open-heap': open.heap / 1024 / open.count,
  }),
);
