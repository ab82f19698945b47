/**
 * Smooth weighted round-robin: of as many picks as the weights add up to, each candidate gets as many as its weight,
 * spread out rather than in a row (5, 1, 1 gives a a b a c a a).
 * Rule: only the candidates of a pick take part in it, so that one that is away neither saves up turns nor loses its
 * place.
 * Spec: follows ngx_http_upstream_round_robin.c of nginx.
 */

export interface Weighted {
  readonly name: string;
  readonly weight: number;
}

export class RoundRobin {
  readonly #credit = new Map<string, number>();

  /** The next one; undefined when there is no candidate. */
  next<T extends Weighted>(candidates: readonly T[]): T | undefined {
    let best: T | undefined;
    let bestCredit = 0;
    let total = 0;
    for (const candidate of candidates) {
      const credit = (this.#credit.get(candidate.name) ?? 0) + candidate.weight;
      this.#credit.set(candidate.name, credit);
      total += candidate.weight;
      if (best === undefined || credit > bestCredit) [best, bestCredit] = [candidate, credit];
    }
    if (best !== undefined) this.#credit.set(best.name, bestCredit - total);
    return best;
  }
}
