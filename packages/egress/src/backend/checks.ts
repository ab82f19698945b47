/**
 * Looks at the backends of a service: all the time where the policy says `health`; else only at one that is down, until
 * it is up again.
 * Rule: one look at a backend at a time, each with a deadline; no timer keeps the process alive; after `stop` nothing
 * is reported.
 * Not here: what a look is (services.ts), what its outcome means (pool.ts).
 */
import { AditError } from '@adit/shared/errors';
import { Deadline } from '@adit/shared/net/deadline';
import type { Backend } from '../policy/service.ts';
import { checkDelayMs, retryDelayMs } from './health.ts';
import type { Pool } from './pool.ts';
import { NotSpoken } from './service-tls.ts';

/** A look: resolves when the backend answers, rejects with AditError when not. */
export type Look = (
  backend: Backend,
  options: { readonly deadline: Deadline; readonly signal: AbortSignal },
) => Promise<void>;

export interface ChecksOptions {
  readonly pool: Pool;
  readonly look: Look;
  /** From [0, 1). */ readonly random?: () => number;
}

/** The first look comes within this time, so that a backend that is down at the start is known soon. */
const firstWithinMs = 500;
/** Of a look that nobody configured. */
const plainTimeoutMs = 2_000;
/** What says nothing about the backend: the policy, our own limits, our own end; and what a client wants to speak. */
const notItsFault: readonly string[] = [
  'POLICY_DENIED',
  'ADDRESS_PROHIBITED',
  'UNKNOWN_SERVICE',
  'OVERLOAD',
  'PEER_GONE',
  'INTERNAL',
];

/** Does a failed dial with this code count against the backend? */
export function countsAgainst(error: AditError): boolean {
  return !notItsFault.includes(error.code) && !(error.cause instanceof NotSpoken);
}

/** Why, for the log: what the system said, where it said something. */
export function whyOf(error: AditError): string {
  return error.cause instanceof Error && error.cause.message !== '' ? error.cause.message : error.message;
}

export class Checks {
  readonly #pool: Pool;
  readonly #look: Look;
  readonly #random: () => number;
  readonly #stopped = new AbortController();
  readonly #timers = new Map<string, NodeJS.Timeout>();

  constructor({ pool, look, random = Math.random }: ChecksOptions) {
    this.#pool = pool;
    this.#look = look;
    this.#random = random;
  }

  /** Begins: with `health` for every backend, else for those that are down. */
  start(): void {
    const { backends, health } = this.#pool.service;
    for (const backend of backends) {
      if (health)
        this.#schedule(backend, { delayMs: this.#random() * Math.min(firstWithinMs, health.intervalMs), number: 0 });
      else if (!this.#pool.isUp(backend.name)) this.wake(backend.name);
    }
  }

  /** This backend went down. */
  wake(name: string): void {
    const backend = this.#pool.service.backends.find((one) => one.name === name);
    if (backend && !this.#pool.service.health && !this.#timers.has(name))
      this.#schedule(backend, { delayMs: retryDelayMs(0, this.#random()), number: 0 });
  }

  stop(): void {
    this.#stopped.abort();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  #schedule(backend: Backend, { delayMs, number }: { readonly delayMs: number; readonly number: number }): void {
    this.#timers.set(
      backend.name,
      setTimeout(() => {
        void this.#check(backend, number);
      }, delayMs).unref(),
    );
  }

  async #check(backend: Backend, number: number): Promise<void> {
    const { health } = this.#pool.service;
    const { signal } = this.#stopped;
    const failure = await this.#outcome(backend, health?.timeoutMs ?? plainTimeoutMs);
    if (signal.aborted) return;
    if (failure === undefined || countsAgainst(failure)) this.#pool.report(backend.name, failure && whyOf(failure));
    if (health) this.#schedule(backend, { delayMs: checkDelayMs(health.intervalMs, this.#random()), number: 0 });
    else if (this.#pool.isUp(backend.name)) this.#timers.delete(backend.name);
    else this.#schedule(backend, { delayMs: retryDelayMs(number + 1, this.#random()), number: number + 1 });
  }

  async #outcome(backend: Backend, timeoutMs: number): Promise<AditError | undefined> {
    try {
      await this.#look(backend, { deadline: new Deadline(timeoutMs), signal: this.#stopped.signal });
      return undefined;
    } catch (error) {
      if (error instanceof AditError) return error;
      throw error;
    }
  }
}
