/**
 * Whose handshake begins next. A handshake costs about a millisecond of the one thread that all sessions share, and a
 * stranger can ask for as many as it likes.
 * Rule: in one turn of the event loop at most `perTurn` handshakes begin, and none after `budgetMs` were spent on that.
 * What waits goes on in the next turn, one handshake of each source after the other, so that a source waits for its own
 * only. Nothing waits while the loop is idle.
 * Measured beside 300 connections that come back for ever with a ClientHello: the echo of an open session has a p99 of
 * 13 ms, and of 101 ms where every handshake begins at once.
 * Not here: how many may wait (places.ts).
 */

/** After so long no further handshake begins in a turn of the loop, ms. */
const defaultBudgetMs = 4;
/** A handshake whose hello is incomplete costs little when it begins, and the rest later: so there is a number too. */
const defaultPerTurn = 4;

export interface TurnsOptions {
  readonly budgetMs?: number;
  readonly perTurn?: number;
  /** Milliseconds on a monotonic clock. */
  readonly now?: () => number;
  /** Calls back in the next turn of the event loop. */
  readonly nextTurn?: (begin: () => void) => void;
}

type Begin = () => void;

export class Turns {
  readonly #budgetMs: number;
  readonly #perTurn: number;
  readonly #now: () => number;
  readonly #nextTurn: (begin: () => void) => void;
  /** Those who wait, by source; the source whose turn it is comes first. */
  readonly #waiting = new Map<string, Set<Begin>>();
  #spentMs = 0;
  #begun = 0;
  #awaited = false;

  constructor({
    budgetMs = defaultBudgetMs,
    perTurn = defaultPerTurn,
    now = () => performance.now(),
    nextTurn = (begin) => setImmediate(begin),
  }: TurnsOptions = {}) {
    this.#budgetMs = budgetMs;
    this.#perTurn = perTurn;
    this.#now = now;
    this.#nextTurn = nextTurn;
  }

  /** Sources with a handshake that waits. */
  get sources(): number {
    return this.#waiting.size;
  }

  /** Calls `begin` now, or when it is this source's turn. Returns what takes it back. */
  take(source: string, begin: Begin): () => void {
    if (this.#waiting.size === 0 && this.#left) {
      this.#run(begin);
      return () => {};
    }
    const queue = this.#waiting.get(source) ?? new Set();
    this.#waiting.set(source, queue.add(begin));
    return () => {
      if (queue.delete(begin) && queue.size === 0) this.#waiting.delete(source);
    };
  }

  /** Another one may begin in this turn. */
  get #left(): boolean {
    return this.#begun < this.#perTurn && this.#spentMs < this.#budgetMs;
  }

  #run(begin: Begin): void {
    if (!this.#awaited) {
      this.#awaited = true;
      this.#nextTurn(() => this.#turn());
    }
    this.#begun++;
    const startedMs = this.#now();
    begin();
    this.#spentMs += this.#now() - startedMs;
  }

  #turn(): void {
    this.#awaited = false;
    this.#spentMs = this.#begun = 0;
    while (this.#waiting.size > 0 && this.#left) this.#run(this.#next());
  }

  #next(): Begin {
    const [source, queue] = this.#waiting.entries().next().value!;
    const begin = queue.values().next().value!;
    queue.delete(begin);
    this.#waiting.delete(source);
    if (queue.size > 0) this.#waiting.set(source, queue);
    return begin;
  }
}
