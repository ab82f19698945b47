/**
 * Keeps the session to one egress alive: dials carriers, attaches, resumes, starts anew; says in one line each what it
 * does.
 * Rule: for ever, with full-jitter backoff, until the egress denies us for good or we are stopped. A session that lost
 * its carrier waits, its streams with it, until it is resumed or cannot be. A swap dials the new carrier before it lets
 * go of the old one.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Carrier } from '@adit/shared/carrier/contract';
import { formatDuration } from '@adit/shared/config/values/duration';
import { codes } from '@adit/shared/codes';
import { AditError, type Code } from '@adit/shared/errors';
import { type Backoff, newBackoff } from '@adit/shared/net/backoff';
import type { Logger } from '@adit/shared/observe/logger';
import type { MuxSession } from '@adit/shared/protocol/mux/session';
import { connectSession, RefusedError } from '@adit/shared/session/connect';
import { LinkSession } from './link-session.ts';

export interface LinkOptions {
  /** Of the egress, for the logs: "tunnel.example.org:8443". */
  readonly name: string;
  /** Makes an authenticated carrier; rejects with AditError. */
  readonly dial: (signal: AbortSignal) => Promise<Carrier>;
  /** The egress answered on the carrier that was dialled last: with a welcome, or a refusal of its own. */
  readonly answered: () => void;
  /** A session is there that takes new streams. */
  readonly onUsable: (session: MuxSession) => void;
  readonly handshakeTimeoutMs: number;
  /** Age at which a carrier is swapped for a fresh one, ms; 0 never. */
  readonly maxCarrierAgeMs: number;
  readonly window: number;
  readonly replayLimitBytes: number;
  readonly agent: string;
  readonly log: Logger;
  /** Between attempts; by default the usual one. */
  readonly backoff?: Backoff;
}

/** Pause after the egress ended a session, ms: it shall not be asked in a loop. */
const afterEndMs = 100;
/**
 * How long the first attempt to resume may take, ms; one that is late gives the next one twice as long, up to the
 * deadlines of every attempt.
 */
const resumeWithinMs = 3_000;
/** A doubt cuts an attempt or a pause short; the next one does so only this much later: they come in bursts. */
const doubtEveryMs = 1_000;
/** A carrier that lived for so long was a good one, even if it moved nothing. */
const livedMs = 1_000;
/** The same trouble is told again after this long. */
const repeatMs = 10_000;

export class Link {
  readonly #options: LinkOptions;
  readonly #stop = new AbortController();
  readonly #backoff: Backoff;
  #current: LinkSession | undefined;
  /** A carrier that was dialled before the old one was let go. */
  #spare: Carrier | undefined;
  #swapping = false;
  readonly #leaving = new Set<LinkSession>();
  /** Cuts short what leads to the next carrier: the dial, the wait for WELCOME, the pause between two attempts. */
  #hurry = new AbortController();
  #doubted: NodeJS.Timeout | undefined;
  #hurriedAtMs = -Infinity;
  #resumeWithinMs = resumeWithinMs;
  #age: NodeJS.Timeout | undefined;
  #trouble: string;
  #toldAtMs = 0;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#backoff = options.backoff ?? newBackoff();
    this.#trouble = `the egress ${options.name} has not answered yet`;
  }

  get name(): string {
    return this.#options.name;
  }
  /** What stood in the way last. */
  get trouble(): string {
    return this.#trouble;
  }
  /** The session that takes new streams right now, if there is one. */
  get session(): MuxSession | undefined {
    return this.#current?.usable ? this.#current.driver.session : undefined;
  }
  /** Streams that are open on it, wherever they stand. */
  get streams(): number {
    return [this.#current, ...this.#leaving].reduce(
      (sum, session) => sum + (session?.driver.session.streamCount ?? 0),
      0,
    );
  }

  /** Runs until stopped (resolves) or denied for good (rejects with the AditError). */
  async run(): Promise<void> {
    const { signal } = this.#stop;
    try {
      while (!signal.aborted) {
        this.#hurry = new AbortController();
        const pauseMs = await this.#once(AbortSignal.any([signal, this.#hurry.signal]));
        if (pauseMs > 0)
          await delay(pauseMs, undefined, { signal: AbortSignal.any([signal, this.#hurry.signal]) }).catch(
            () => undefined,
          );
      }
    } finally {
      this.stop();
    }
  }

  /** Ends every session; open streams are reset. */
  stop(): void {
    this.#stop.abort();
    clearTimeout(this.#age);
    clearTimeout(this.#doubted);
    this.#spare?.duplex.destroy();
    for (const session of this.#leaving) session.end('NO_ERROR', 'the ingress stops');
    this.#leaving.clear();
    this.#current?.end('NO_ERROR', 'the ingress stops');
    this.#current = undefined;
  }

  /** Moves the session to a fresh carrier, without loss; where none can be had, the old one stays. */
  async swap(cause: string): Promise<void> {
    const session = this.#current;
    if (!session?.usable || !session.resumable || this.#swapping) return;
    this.#swapping = true;
    try {
      const carrier = await this.#options.dial(this.#stop.signal);
      if (this.#current === session && session.usable) {
        this.#spare = carrier;
        session.letGo(`a swap (${cause})`);
      } else carrier.duplex.destroy(); // the old one was lost meanwhile, and its successor is being dialled
    } catch (error) {
      if (!(error instanceof AditError)) throw error;
      this.#options.log.warn({ event: 'failed', egress: this.name, error }, 'no fresh carrier: the old one stays');
    } finally {
      this.#swapping = false;
    }
  }

  /**
   * The machine slept or its network changed: ask the peer now, and wait out neither a pause nor an attempt that began
   * in the old network.
   */
  doubt(): void {
    this.#current?.driver.doubt();
    if (this.#stop.signal.aborted) return;
    this.#doubted ??= setTimeout(
      () => {
        this.#doubted = undefined;
        this.#hurriedAtMs = performance.now();
        this.#resumeWithinMs = resumeWithinMs;
        this.#hurry.abort('the network changed');
      },
      Math.max(0, this.#hurriedAtMs + doubtEveryMs - performance.now()),
    ).unref();
  }

  /**
   * One carrier, from dialling to its loss; the signal ends the attempt, not the carrier. Returns how long to wait
   * before the next, ms.
   */
  async #once(signal: AbortSignal): Promise<number> {
    try {
      const { session, released } = await this.#punctually(signal, async (punctual) => {
        const carrier = this.#spare ?? (await this.#options.dial(punctual));
        this.#spare = undefined;
        return await this.#attach(carrier, punctual).catch((error: unknown) => {
          carrier.duplex.destroy();
          throw error;
        });
      });
      const [moved, sinceMs] = [session.moved, performance.now()];
      await released;
      this.#hurry = new AbortController(); // what was doubted while it lived is no reason to hurry now
      clearTimeout(this.#age);
      this.#trouble = `${session.trouble} (${this.name})`;
      // A carrier that moved nothing and died at once is as good as none: the backoff goes on.
      if (session.moved > moved || performance.now() - sinceMs >= livedMs) this.#backoff.reset();
      if (session.leaving) this.#leave(session);
      if (!session.over) return this.#spare || session.leaving ? 0 : this.#backoff.next();
      // Whether the reason is final is for the next handshake to say: the certificate may be a new one by then.
      this.#current = undefined;
      return Math.max(afterEndMs, this.#backoff.next());
    } catch (error) {
      if (!(error instanceof AditError) || codes[error.code].exit === 4) throw error;
      return this.#failed(error, signal);
    }
  }

  /**
   * While a session waits, a network that swallows everything shall not hold it up for long: such an attempt ends with
   * LINK_TIMEOUT.
   */
  async #punctually<T>(signal: AbortSignal, attempt: (punctual: AbortSignal) => Promise<T>): Promise<T> {
    const withinMs = this.#resumeWithinMs;
    if (this.#current === undefined || withinMs >= this.#options.handshakeTimeoutMs) return attempt(signal);
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), withinMs);
    try {
      return await attempt(AbortSignal.any([signal, late.signal]));
    } catch (error) {
      if (!late.signal.aborted) throw error;
      this.#resumeWithinMs = withinMs * 2;
      throw new AditError(
        'LINK_TIMEOUT',
        `the egress ${this.name} did not take the session back within ${withinMs / 1_000} s`,
        { cause: error },
      );
    } finally {
      clearTimeout(timer);
    }
  }

  async #attach(carrier: Carrier, signal: AbortSignal): Promise<{ session: LinkSession; released: Promise<void> }> {
    const { window, agent, handshakeTimeoutMs, maxCarrierAgeMs, log } = this.#options;
    const kept = this.#current;
    const giveUp = (): void => {
      carrier.duplex.destroy();
    };
    if (signal.aborted) giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
    const connected = await connectSession(carrier, {
      window,
      agent,
      deadlineMs: handshakeTimeoutMs,
      ...(kept && { resume: kept.nextAttempt() }),
    })
      .finally(() => signal.removeEventListener('abort', giveUp))
      .catch((error: unknown) => {
        if (error instanceof RefusedError) this.#options.answered();
        throw error;
      });
    this.#options.answered();
    const { welcome, rest } = connected;
    if (this.#stop.signal.aborted) throw new AditError('EGRESS_UNREACHABLE', 'the ingress stops');
    if (kept && !kept.driver.session.lane.covers(welcome.position))
      throw new AditError('BAD_OFFSET', 'the egress wants bytes again that are gone');
    this.#resumeWithinMs = resumeWithinMs;
    const session = kept ?? new LinkSession(connected, { ...this.#options, expired: (one) => this.#expired(one) });
    this.#current = session;
    log.info(
      {
        event: 'connected',
        egress: this.name,
        remote: carrier.remote,
        carrier: carrier.kind,
        ...(carrier.via !== undefined && { proxy: carrier.via }),
        ...(carrier.intermediary !== undefined && { intermediary: carrier.intermediary }),
        session: Buffer.from(welcome.sessionId).subarray(0, 6).toString('hex'),
        resumed: kept !== undefined,
        agent: welcome.agent,
      },
      kept ? 'session resumed' : 'connected',
    );
    const released = session.attach(carrier, welcome.position, rest);
    if (maxCarrierAgeMs > 0) this.#age = setTimeout(() => void this.swap('its age'), maxCarrierAgeMs).unref();
    if (session.usable) this.#options.onUsable(session.driver.session);
    return { session, released };
  }

  #failed(error: AditError, signal: AbortSignal): number {
    if (this.#stop.signal.aborted) return 0;
    const { log } = this.#options;
    const kept = this.#current;
    if (kept && isSessionLoss(error.code)) {
      this.#lose(kept, error.code, error.message);
      return 0;
    }
    if (signal.aborted) {
      // no failure of the egress: the backoff stays where it is
      log.info({ event: 'retrying', egress: this.name, reason: String(signal.reason), delayMs: 0 }, 'dialling again');
      return 0;
    }
    const delayMs = Math.round(Math.max(this.#backoff.next(), error instanceof RefusedError ? error.retryAfterMs : 0));
    const news = error.message !== this.#trouble || performance.now() - this.#toldAtMs >= repeatMs;
    if (news) this.#toldAtMs = performance.now();
    this.#trouble = error.message;
    log[news ? 'warn' : 'debug'](
      { event: 'retrying', egress: this.name, code: error.code, reason: error.message, advice: error.advice, delayMs },
      'no session',
    );
    return delayMs;
  }

  #expired(session: LinkSession): void {
    this.#lose(session, 'RESUME_EXPIRED', `not resumed within ${formatDuration(session.ttlMs)}`);
    this.#hurry.abort('the session expired'); // what is under way was to resume it
  }

  #lose(session: LinkSession, code: Code, reason: string): void {
    this.#options.log.warn(
      { event: 'disconnected', egress: this.name, code, reason, streams: session.driver.session.streamCount },
      'the session cannot be resumed: open connections are reset',
    );
    session.end(code, reason);
    this.#current = undefined;
  }

  /** What is open on a draining session finishes there; a new session is made for what comes. */
  #leave(session: LinkSession): void {
    this.#current = undefined;
    this.#leaving.add(session);
    for (const gone of this.#leaving) if (gone.over) this.#leaving.delete(gone);
  }
}

/** Refusals that mean: this session is gone, a new one may work. */
function isSessionLoss(code: Code): boolean {
  return code === 'NOT_RESUMABLE' || code === 'RESUME_EXPIRED' || code === 'WRONG_INSTANCE' || code === 'BAD_OFFSET';
}
