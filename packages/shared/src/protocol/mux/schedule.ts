/**
 * Whose turn it is to fill the lane: streams that had to stop reading wait here and get one read each, first come,
 * first served.
 * Rule: a stream waits at most once, and gets its turn before a stream that came after it gets a second one.
 */

export class TurnQueue<T> {
  readonly #waiting = new Set<T>();

  get size(): number {
    return this.#waiting.size;
  }

  wait(stream: T): void {
    this.#waiting.add(stream);
  }

  /** Says whether it waited. */
  leave(stream: T): boolean {
    return this.#waiting.delete(stream);
  }

  next(): T | undefined {
    for (const stream of this.#waiting) {
      this.#waiting.delete(stream);
      return stream;
    }
    return undefined;
  }
}
