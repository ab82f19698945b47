/**
 * Gives memory back after a peak, once the process is quiet.
 * V8 shrinks a heap by itself (its memory reducer: in steps, while little is allocated). But it measures how much is
 * allocated only when it collects, so after a burst that ends in silence it keeps the rate of the burst in mind, and
 * the heap as large as it was. A collection of young objects, which takes some milliseconds, is such a measurement.
 * At the end the C library gives back what was freed on its heap (native/malloc-trim.ts).
 * Rule: while there is work to do nothing happens but a look every `lookEveryMs`. After each burst there are at most
 * `measurements` collections, and the full ones are V8's own. Where Node lends no collector, the heap stays as it is.
 * Not here: what else can be given back; `quiet` is called for that.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { trimMalloc } from '../native/malloc-trim.ts';

export interface GiveBackOptions {
  /** Called at the first look at a quiet process after a burst. */
  readonly quiet?: () => void;
  readonly lookEveryMs?: number;
}

/** Two looks lie further apart than V8 looks by itself, 8 s. */
const defaultLookEveryMs = 5_000;
/** There is a burst while the event loop works for at least this share of the time. */
const busyShare = 0.1;
/** The first still has the garbage of the burst before it: only the next ones see that little is allocated. */
const measurements = 4;
/** So many looks later V8 is done, and the C library gives back what V8 freed there. */
const looksForV8 = 2;

type Collect = (options: { readonly type: 'minor' }) => void;

/** Watches from now on. The start of the process counts as a burst. Returns what ends it. */
export function giveMemoryBack({ quiet, lookEveryMs = defaultLookEveryMs }: GiveBackOptions = {}): () => void {
  let due: number = measurements + looksForV8;
  let collect: Collect | undefined;
  let before = performance.eventLoopUtilization();
  const timer = setInterval(() => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    const isBusy = utilization >= busyShare;
    if (isBusy) due = measurements + looksForV8;
    if (isBusy || due === 0) return;
    if (due === measurements + looksForV8) quiet?.();
    if (due > looksForV8) {
      collect ??= borrowCollector();
      collect?.({ type: 'minor' });
    } else collect = undefined; // it holds a context of its own
    if (--due === 0) trimMalloc();
  }, lookEveryMs).unref();
  return () => clearInterval(timer);
}

/** The function `gc` of V8: only contexts that are made while `--expose-gc` is set have it. */
function borrowCollector(): Collect | undefined {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('globalThis.gc');
  setFlagsFromString('--no-expose-gc');
  return typeof collect === 'function' ? (collect as Collect) : undefined;
}
