/**
 * Local connections that wait for a session.
 * Rule: each waits once, up to its timeout, and is answered exactly once; there is a bound on how many wait.
 */
import { AditError } from '@adit/shared/errors';

interface Waiter<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: AditError) => void;
  readonly timer: NodeJS.Timeout;
}

export class Waiting<T> {
  readonly #options: { readonly timeoutMs: number; readonly most: number };
  readonly #waiters = new Set<Waiter<T>>();

  constructor(options: { readonly timeoutMs: number; readonly most: number }) {
    this.#options = options;
  }

  get size(): number {
    return this.#waiters.size;
  }

  /** Rejects with EGRESS_UNREACHABLE; `trouble` says, then, what stands in the way. */
  wait(trouble: () => string): Promise<T> {
    const { timeoutMs, most } = this.#options;
    return new Promise((resolve, reject) => {
      if (this.#waiters.size >= most) {
        reject(new AditError('EGRESS_UNREACHABLE', `${most} connections wait for the egress already: ${trouble()}`));
        return;
      }
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        reject(new AditError('EGRESS_UNREACHABLE', `no session within ${timeoutMs / 1000} s: ${trouble()}`));
      }, timeoutMs);
      const waiter: Waiter<T> = { resolve, reject, timer };
      this.#waiters.add(waiter);
    });
  }

  give(value: T): void {
    this.#settle((waiter) => waiter.resolve(value));
  }

  fail(error: AditError): void {
    this.#settle((waiter) => waiter.reject(error));
  }

  #settle(answer: (waiter: Waiter<T>) => void): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const waiter of waiters) {
      clearTimeout(waiter.timer);
      answer(waiter);
    }
  }
}
