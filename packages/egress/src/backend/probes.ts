/**
 * Probes the backends of a service: all of them at intervals where the policy has `health`; otherwise only one that is
 * down, until it is up again.
 * Rule: at most one probe of a backend runs at a time, and each has a deadline. No timer keeps the process alive, and
 * nothing is reported after `stop`.
 * Not here: what a probe does (services.ts), what its outcome means (pool.ts).
 */
import { AditError } from '@adit/shared/errors';
import { Deadline } from '@adit/shared/net/deadline';
import type { Backend } from '../policy/service.ts';
import { probeDelayMs, retryDelayMs } from './health.ts';
import type { Pool } from './pool.ts';
import { NotSpoken } from './service-tls.ts';

/** Resolves when the backend answers, rejects with AditError when it does not. */
export type Probe = (
  backend: Backend,
  options: { readonly deadline: Deadline; readonly signal: AbortSignal },
) => Promise<void>;

export interface ProbesOptions {
  readonly pool: Pool;
  readonly probe: Probe;
  /** From [0, 1). */
  readonly random?: () => number;
}

/** The first probe runs within this time, so that a backend that is down at the start is soon known to be down. */
const firstWithinMs = 500;
/** The timeout of a probe without `health`. */
const plainTimeoutMs = 2_000;
/** Failures that say nothing about the backend: the policy, our own limits, a client or a probe that gave up. */
const notOfTheBackend: readonly string[] = [
  'POLICY_DENIED',
  'ADDRESS_PROHIBITED',
  'UNKNOWN_SERVICE',
  'OVERLOAD',
  'PEER_GONE',
  'INTERNAL',
];

/**
 * Does this failure of a dial count against the backend? A client that asks for a protocol it does not speak does not.
 */
export function countsAgainst(error: AditError): boolean {
  return !notOfTheBackend.includes(error.code) && !(error.cause instanceof NotSpoken);
}

/** Why, for the log: the message of the cause where there is one. */
export function whyOf(error: AditError): string {
  return error.cause instanceof Error && error.cause.message !== '' ? error.cause.message : error.message;
}

export class Probes {
  readonly #pool: Pool;
  readonly #probe: Probe;
  readonly #random: () => number;
  readonly #stopped = new AbortController();
  readonly #timers = new Map<string, NodeJS.Timeout>();

  constructor({ pool, probe, random = Math.random }: ProbesOptions) {
    this.#pool = pool;
    this.#probe = probe;
    this.#random = random;
  }

  /** Starts to probe: every backend with `health`, otherwise those that are down. */
  start(): void {
    const { backends, health } = this.#pool.service;
    for (const backend of backends) {
      if (health)
        this.#schedule(backend, { delayMs: this.#random() * Math.min(firstWithinMs, health.intervalMs), number: 0 });
      else if (!this.#pool.isUp(backend.name)) this.wake(backend.name);
    }
  }

  /** Starts to probe a backend that went down. */
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
        void this.#probeOnce(backend, number);
      }, delayMs).unref(),
    );
  }

  async #probeOnce(backend: Backend, number: number): Promise<void> {
    const { health } = this.#pool.service;
    const { signal } = this.#stopped;
    const failure = await this.#outcome(backend, health?.timeoutMs ?? plainTimeoutMs);
    if (signal.aborted) return;
    if (failure === undefined || countsAgainst(failure)) this.#pool.report(backend.name, failure && whyOf(failure));
    if (health) this.#schedule(backend, { delayMs: probeDelayMs(health.intervalMs, this.#random()), number: 0 });
    else if (this.#pool.isUp(backend.name)) this.#timers.delete(backend.name);
    else this.#schedule(backend, { delayMs: retryDelayMs(number + 1, this.#random()), number: number + 1 });
  }

  async #outcome(backend: Backend, timeoutMs: number): Promise<AditError | undefined> {
    try {
      await this.#probe(backend, { deadline: new Deadline(timeoutMs), signal: this.#stopped.signal });
      return undefined;
    } catch (error) {
      if (error instanceof AditError) return error;
      throw error;
    }
  }
}
