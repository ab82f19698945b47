/**
 * Local connections that wait for a session.
 * Rule: each is answered exactly once, at the latest after its timeout; their number is bounded.
 */
import { AditError } from '@adit/shared/errors';
import { seconds } from '@adit/shared/observe/seconds';

interface Waiter<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: AditError) => void;
  readonly timer: NodeJS.Timeout;
}

/** Why there is no session. */
export interface Trouble {
  readonly reason: string;
  readonly advice?: string | undefined;
}

export class Waiting<T> {
  readonly #options: { readonly timeoutMs: number; readonly maxWaiting: number };
  readonly #waiters = new Set<Waiter<T>>();

  constructor(options: { readonly timeoutMs: number; readonly maxWaiting: number }) {
    this.#options = options;
  }

  get size(): number {
    return this.#waiters.size;
  }

  /** Rejects with EGRESS_UNREACHABLE; `trouble` is asked for the reason, and what helps, at that moment. */
  wait(trouble: () => Trouble): Promise<T> {
    const { timeoutMs, maxWaiting } = this.#options;
    return new Promise((resolve, reject) => {
      if (this.#waiters.size >= maxWaiting) {
        reject(unreachable(`${maxWaiting} connections are already waiting for the egress`, trouble()));
        return;
      }
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        reject(unreachable(`no session within ${seconds(timeoutMs)}`, trouble()));
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

function unreachable(what: string, { reason, advice }: Trouble): AditError {
  return new AditError('EGRESS_UNREACHABLE', `${what}: ${reason}`, { advice });
}
