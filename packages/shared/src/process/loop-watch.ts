/**
 * Says in the log when the event loop was held up: everything that this process does waited meanwhile.
 * A timer is due every `tickMs`, and is late by what held the loop. `cpuMs` is the CPU time of the process meanwhile:
 * near `delayMs` it worked, near 0 it was stopped, or the machine gave it no CPU. A sleep of the machine does not
 * count.
 * Rule: what holds the loop for `boundMs + tickMs` is always seen, what holds it for less than `boundMs` never. At most
 * one line in `quietMs`: `times` counts what it stands for, and `delayMs` is the longest of them.
 */
import { performance } from 'node:perf_hooks';
import type { Logger } from '../observe/logger.ts';

export interface LoopWatchOptions {
  readonly log: Pick<Logger, 'warn'>;
  readonly tickMs?: number;
  readonly boundMs?: number;
  readonly quietMs?: number;
}

interface Held {
  times: number;
  delayMs: number;
  cpuMs: number;
}

/** Watches from now on. Returns what ends it. */
export function watchLoop({ log, tickMs = 250, boundMs = 500, quietMs = 10_000 }: LoopWatchOptions): () => void {
  let held: Held = { times: 0, delayMs: 0, cpuMs: 0 };
  let tickedAtMs = performance.now();
  let cpuAtMs = cpuMs();
  let saidAtMs = -Infinity;
  const timer = setInterval(() => {
    const [nowMs, cpuNowMs] = [performance.now(), cpuMs()];
    const delayMs = nowMs - tickedAtMs - tickMs;
    if (delayMs >= boundMs) {
      held.times++;
      if (delayMs > held.delayMs) held = { ...held, delayMs, cpuMs: cpuNowMs - cpuAtMs };
    }
    [tickedAtMs, cpuAtMs] = [nowMs, cpuNowMs];
    if (held.times === 0 || nowMs - saidAtMs < quietMs) return;
    saidAtMs = nowMs;
    const { times } = held;
    log.warn(
      { event: 'held-up', delayMs: Math.round(held.delayMs), cpuMs: Math.round(held.cpuMs), times },
      'the event loop was held up: everything waited',
    );
    held = { times: 0, delayMs: 0, cpuMs: 0 };
  }, tickMs).unref();
  return () => clearInterval(timer);
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
