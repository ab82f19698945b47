/**
 * Memory that nobody uses now, kept for the next who needs it.
 * Rule: a list keeps at most `most`; what comes beyond that is garbage. `dropFree` empties all lists: called when the
 * process is quiet after a peak (process/give-back.ts), since what the peak needed may never be needed again.
 */
const lists: FreeList<unknown>[] = [];

/** Lets go of everything that is kept. */
export function dropFree(): void {
  for (const list of lists) list.drop();
}

/** One for each kind of memory, for the life of the process. */
export class FreeList<T> {
  readonly #most: number;
  #free: T[] = [];

  constructor({ most }: { readonly most: number }) {
    this.#most = most;
    lists.push(this);
  }

  /** The one that was put back last; undefined if there is none. */
  take(): T | undefined {
    return this.#free.pop();
  }

  put(one: T): void {
    if (this.#free.length < this.#most) this.#free.push(one);
  }

  drop(): void {
    this.#free = [];
  }
}
