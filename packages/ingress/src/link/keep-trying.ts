/**
 * Keeps one connection up: attempts it again and again, with full-jitter backoff, and logs `retrying` in between.
 * Rule: it goes on until it is stopped or an attempt is denied for good. A network change cuts an attempt or a pause
 * short. A failure that repeats the last one is a warning at most every ten seconds.
 * Not here: what a connection is, and what happens while it is up.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { AditError } from '@adit/shared/errors';
import { type Backoff, newBackoff } from '@adit/shared/net/backoff';
import type { Logger } from '@adit/shared/observe/logger';
import { RefusedError } from '@adit/shared/session/connect';

export interface KeepTryingOptions {
  /** The egress, for the log. */
  readonly name: string;
  /** What there is none of while attempts fail: "session". */
  readonly what: string;
  readonly log: Logger;
  /** Between attempts; default full jitter up to 5 s. */
  readonly backoff?: Backoff;
  /**
   * Connects, and resolves when the connection is lost with the pause before the next attempt, ms. The signal ends only
   * the attempt to connect. Rejects with AditError.
   */
  readonly attempt: (signal: AbortSignal) => Promise<number>;
  /** A network change has just cut the attempt or the pause short. */
  readonly hurried?: () => void;
}

/** Network changes come in bursts: they cut an attempt or a pause short at most this often, ms. */
const doubtEveryMs = 1_000;
/** A failure that repeats the last one is a warning again after this time, ms. */
const repeatMs = 10_000;

export class KeepTrying {
  #trouble = '';
  #advice: string | undefined;
  readonly backoff: Backoff;
  readonly #options: KeepTryingOptions;
  readonly #stop = new AbortController();
  /** Ends the attempt to connect, or the pause before it. */
  #hurry = new AbortController();
  #hurriedAtMs = -Infinity;
  #doubted: NodeJS.Timeout | undefined;
  #warnedAtMs = 0;

  constructor(options: KeepTryingOptions) {
    this.#options = options;
    this.backoff = options.backoff ?? newBackoff();
  }

  /** Why there is no connection, for error messages: the last failure. */
  get trouble(): string {
    return this.#trouble;
  }
  set trouble(text: string) {
    this.#trouble = text;
    this.#advice = undefined;
  }
  /** What helps, if the last attempt failed. */
  get advice(): string | undefined {
    return this.#advice;
  }

  /** Aborts with `stop`. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Resolves when stopped; rejects with the AditError of a denial that is final (exit status 4). */
  async run(): Promise<void> {
    while (!this.signal.aborted) {
      this.#hurry = new AbortController();
      const pauseMs = await this.#once(AbortSignal.any([this.signal, this.#hurry.signal]));
      if (pauseMs <= 0) continue;
      const signal = AbortSignal.any([this.signal, this.#hurry.signal]);
      await delay(pauseMs, undefined, { signal }).catch(() => undefined); // cut short
    }
  }

  stop(): void {
    this.#stop.abort();
    clearTimeout(this.#doubted);
  }

  /** The network may have changed: an attempt or a pause that began before ends now, or soon if one ended just now. */
  doubt(): void {
    if (this.signal.aborted) return;
    this.#doubted ??= setTimeout(
      () => {
        this.#doubted = undefined;
        this.#hurriedAtMs = performance.now();
        this.#options.hurried?.();
        this.hurry('the network changed');
      },
      Math.max(0, this.#hurriedAtMs + doubtEveryMs - performance.now()),
    ).unref();
  }

  /** Ends the attempt to connect, or the pause: the next attempt begins at once. */
  hurry(reason: string): void {
    this.#hurry.abort(reason);
  }

  /** Returns the pause before the next attempt, ms. */
  async #once(signal: AbortSignal): Promise<number> {
    try {
      const pauseMs = await this.#options.attempt(signal);
      this.#hurry = new AbortController(); // a network change while the connection was up does not shorten the pause
      return pauseMs;
    } catch (error) {
      if (!(error instanceof AditError) || error.exitStatus === 4) throw error;
      if (this.signal.aborted) return 0;
      return signal.aborted ? this.#cutShort(String(signal.reason)) : this.#failed(error);
    }
  }

  /** That was no failure of the egress: the backoff stays where it is. */
  #cutShort(reason: string): number {
    const { log, name } = this.#options;
    log.info({ event: 'retrying', egress: name, reason, delayMs: 0 }, 'dialling again');
    return 0;
  }

  #failed(error: AditError): number {
    const { log, name, what } = this.#options;
    const { code, message: reason, advice } = error;
    const askedMs = error instanceof RefusedError ? error.retryAfterMs : 0;
    const delayMs = Math.round(Math.max(this.backoff.next(), askedMs));
    const isNews = reason !== this.trouble || performance.now() - this.#warnedAtMs >= repeatMs;
    if (isNews) this.#warnedAtMs = performance.now();
    this.trouble = reason;
    this.#advice = advice;
    log[isNews ? 'warn' : 'debug']({ event: 'retrying', egress: name, code, reason, advice, delayMs }, `no ${what}`);
    return delayMs;
  }
}
