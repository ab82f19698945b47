/**
 * How long an attempt to resume a session may take.
 * Rule: streams wait for it, so a network that swallows packets may not hold them up for the full deadlines of an
 * attempt. The first attempt has three seconds; each one that is late gives the next twice as long, up to those
 * deadlines.
 */
import { AditError } from '@adit/shared/errors';
import { seconds } from '@adit/shared/observe/seconds';

export interface ResumeDeadlineOptions {
  /** The egress, for the error. */
  readonly name: string;
  /** From here on the deadlines of the attempt itself hold, ms. */
  readonly maxMs: number;
  /** For the first attempt; default 3 s. */
  readonly firstMs?: number;
}

export class ResumeDeadline {
  readonly #options: Required<ResumeDeadlineOptions>;
  #withinMs: number;

  constructor(options: ResumeDeadlineOptions) {
    this.#options = { firstMs: 3_000, ...options };
    this.#withinMs = this.#options.firstMs;
  }

  /** The next attempt is a first one again. */
  reset(): void {
    this.#withinMs = this.#options.firstMs;
  }

  /** Runs an attempt whose signal also aborts at the deadline; rejects with LINK_TIMEOUT then. */
  async hold<T>(signal: AbortSignal, attempt: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const withinMs = this.#withinMs;
    if (withinMs >= this.#options.maxMs) return attempt(signal);
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), withinMs);
    try {
      return await attempt(AbortSignal.any([signal, late.signal]));
    } catch (error) {
      if (!late.signal.aborted) throw error;
      this.#withinMs = withinMs * 2;
      throw new AditError(
        'LINK_TIMEOUT',
        `the egress ${this.#options.name} did not take the session back within ${seconds(withinMs)}`,
        { cause: error },
      );
    } finally {
      clearTimeout(timer);
    }
  }
}
