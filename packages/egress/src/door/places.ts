/**
 * Places for connections that have not proven who they are: at most so many, shared among their sources.
 * Rule: a newcomer always gets a place. While there are free ones nobody is counted against anybody, because many
 * people share one address. When all are taken one holder gives its place up. It is one of the source that holds most,
 * if that is more than its share: the places divided equally among the sources, and at least `smallestShare`. If no
 * source has more than its share, it is any holder. Among those it is the one that has been silent longest, else the
 * oldest. So whoever comes from one address takes places from nobody else.
 * Not here: ending the connection, deadlines. Time is an argument.
 */

export interface Holder {
  /** Where it comes from; a source that is shared with nobody where that is not known yet. */
  readonly source: string;
  readonly sinceMs: number;
  /** Its first byte has come. */
  readonly spoke: boolean;
}

/** A source may hold so many whatever the number of sources: an office of which several connect at once. */
export const smallestShare = 4;
/** From this age on a holder without a byte counts as silent, ms. An honest client's first byte follows its connect. */
export const silentAfterMs = 250;

export class Places<T extends Holder> {
  readonly #max: number;
  /** Oldest first. */
  readonly #holders = new Set<T>();
  /** The source under which each is counted, and how many each source holds. */
  readonly #counted = new Map<T, string>();
  readonly #counts = new Map<string, number>();

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#holders.size;
  }

  /** How many places a source holds. */
  held(source: string): number {
    return this.#counts.get(source) ?? 0;
  }

  /** Gives `newcomer` a place. Returns the holder that gave its place up for it, which has none now. */
  take(newcomer: T, nowMs: number): T | undefined {
    this.#count(newcomer);
    const displaced = this.#holders.size < this.#max ? undefined : this.#displaced(nowMs);
    if (displaced) this.leave(displaced);
    this.#holders.add(newcomer);
    return displaced;
  }

  /** It needs its place no longer. */
  leave(holder: T): void {
    this.#holders.delete(holder);
    this.#uncount(holder);
  }

  /** The source of a holder has changed: it is counted there from now on, and keeps its age. */
  recount(holder: T): void {
    if (!this.#holders.has(holder)) return;
    this.#uncount(holder);
    this.#count(holder);
  }

  /** Every place is taken, and the newcomer is counted already. */
  #displaced(nowMs: number): T | undefined {
    let [busiest, most] = ['', 0];
    for (const [source, count] of this.#counts) if (count > most) [busiest, most] = [source, count];
    const share = Math.max(smallestShare, Math.floor(this.#max / this.#counts.size));
    let oldest: T | undefined;
    for (const holder of this.#holders) {
      if (most > share && this.#counted.get(holder) !== busiest) continue;
      if (!holder.spoke && nowMs - holder.sinceMs >= silentAfterMs) return holder;
      oldest ??= holder;
    }
    return oldest;
  }

  #count(holder: T): void {
    this.#counted.set(holder, holder.source);
    this.#counts.set(holder.source, this.held(holder.source) + 1);
  }

  #uncount(holder: T): void {
    const source = this.#counted.get(holder);
    if (source === undefined) return;
    this.#counted.delete(holder);
    const left = this.held(source) - 1;
    if (left > 0) this.#counts.set(source, left);
    else this.#counts.delete(source);
  }
}
