/**
 * Several ways to the same end, started one after the other; the first that gets there wins (after RFC 8305).
 * Rule: each way is started once, the next when one before it failed or the stagger has passed. The losers are aborted,
 * and a result that comes too late is discarded. When every way failed, `failed` makes one error of theirs.
 */
export interface RaceOptions<T> {
  /** How long a way may run alone before the next one is started beside it, ms. */
  readonly staggerMs: number;
  readonly signal: AbortSignal;
  /** Whether another way may still help after this error. */
  readonly goOn: (error: unknown) => boolean;
  /** Releases a result that came too late. */
  readonly discard: (late: T) => void;
  /** Makes one error of those of all ways, which are in the order of the ways. */
  readonly failed: (errors: readonly unknown[]) => Error;
}

export type Way<T> = (signal: AbortSignal) => Promise<T>;

/** Resolves with the result of the first way that succeeds. */
export function race<T>(ways: readonly Way<T>[], options: RaceOptions<T>): Promise<T> {
  return new Promise((resolve, reject) => new Race(ways, options, { resolve, reject }).startNext());
}

interface Outcome<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

class Race<T> {
  readonly #ways: readonly Way<T>[];
  readonly #options: RaceOptions<T>;
  readonly #outcome: Outcome<T>;
  readonly #stop = new AbortController();
  readonly #errors: unknown[] = [];
  #next = 0;
  #running = 0;
  #over = false;
  #stagger: NodeJS.Timeout | undefined;

  constructor(ways: readonly Way<T>[], options: RaceOptions<T>, outcome: Outcome<T>) {
    this.#ways = ways;
    this.#options = options;
    this.#outcome = outcome;
  }

  startNext(): void {
    clearTimeout(this.#stagger);
    if (this.#next >= this.#ways.length) return;
    const at = this.#next++;
    this.#running++;
    this.#ways[at]!(AbortSignal.any([this.#options.signal, this.#stop.signal])).then(
      (value) => this.#arrived(value),
      (error: unknown) => this.#lost(at, error),
    );
    if (this.#next < this.#ways.length) this.#stagger = setTimeout(() => this.startNext(), this.#options.staggerMs);
  }

  #arrived(value: T): void {
    if (this.#over) {
      this.#options.discard(value);
      return;
    }
    this.#end();
    this.#outcome.resolve(value);
  }

  #lost(at: number, error: unknown): void {
    if (this.#over) return;
    const { goOn, signal, failed } = this.#options;
    this.#errors[at] = error;
    this.#running--;
    if (!goOn(error) || signal.aborted) this.#next = this.#ways.length; // those that run may still get there
    if (this.#next < this.#ways.length) {
      this.startNext();
    } else if (this.#running === 0) {
      this.#end();
      this.#outcome.reject(failed(this.#errors.filter((one) => one !== undefined)));
    }
  }

  #end(): void {
    this.#over = true;
    clearTimeout(this.#stagger);
    this.#stop.abort();
  }
}
