/**
 * Least connections: the candidate whose open connections, with the one to come, are fewest for its weight.
 * Rule: candidates with equal load take turns (round-robin.ts), so that an idle service uses all its backends.
 */
import type { RoundRobin, Weighted } from './round-robin.ts';

/** The best candidate, undefined when there is none. `open` tells how many connections one has now. */
export function leastConnections<T extends Weighted>(
  candidates: readonly T[],
  open: (candidate: T) => number,
  ties: RoundRobin,
): T | undefined {
  let fewest = Infinity;
  let best: T[] = [];
  for (const candidate of candidates) {
    const load = (open(candidate) + 1) / candidate.weight;
    if (load < fewest) [fewest, best] = [load, []];
    if (load === fewest) best.push(candidate);
  }
  return best.length === 1 ? best[0] : ties.next(best);
}
