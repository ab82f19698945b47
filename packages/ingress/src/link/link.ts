/**
 * Keeps the session to one egress alive: dials carriers, attaches them, resumes the session or starts a new one.
 * Rule: a session that lost its carrier waits, with its streams, until it is resumed or cannot be. A swap dials the new
 * carrier before it lets go of the old one.
 * Not here: when to try again (keep-trying.ts), and one session over its carriers (link-session.ts).
 */
import type { Carrier } from '@adit/shared/carrier/contract';
import { formatDuration } from '@adit/shared/config/values/duration';
import { AditError, type Code } from '@adit/shared/errors';
import type { Backoff } from '@adit/shared/net/backoff';
import type { Logger } from '@adit/shared/observe/logger';
import type { MuxSession } from '@adit/shared/protocol/mux/session';
import { type Connected, connectSession, RefusedError } from '@adit/shared/session/connect';
import { KeepTrying } from './keep-trying.ts';
import { LinkSession } from './link-session.ts';
import { ResumeDeadline } from './resume-deadline.ts';

export interface LinkOptions {
  /** The egress, for logs: "tunnel.example.org:8443". */
  readonly name: string;
  /** Makes an authenticated carrier; rejects with AditError. */
  readonly dial: (signal: AbortSignal) => Promise<Carrier>;
  /** Another carrier, made the way this one was; rejects with AditError. */
  readonly dialBeside: (carrier: Carrier, signal: AbortSignal) => Promise<Carrier>;
  /** The most lanes of a session, or `auto`. */
  readonly lanes: number | 'auto';
  /** Called when the egress answers on the carrier dialled last, with a welcome or a refusal. */
  readonly answered: () => void;
  /** Called with a session that takes new streams. */
  readonly onUsable: (session: MuxSession) => void;
  readonly handshakeTimeoutMs: number;
  /** Age at which a carrier is swapped for a fresh one, ms; 0: never. */
  readonly maxCarrierAgeMs: number;
  readonly window: number;
  readonly replayLimitBytes: number;
  readonly agent: string;
  readonly log: Logger;
  /** Between attempts; default full jitter up to 5 s. */
  readonly backoff?: Backoff;
}

/** Pause after the egress ended a session, ms: an egress that ends every session is not asked in a tight loop. */
const afterEndMs = 100;
/** A carrier that lived this long resets the backoff, even if it moved nothing, ms. */
const livedMs = 1_000;

/** What a carrier was attached to, and when it is lost. */
interface Attachment {
  readonly session: LinkSession;
  readonly released: Promise<void>;
}

export class Link {
  readonly #options: LinkOptions;
  readonly #trying: KeepTrying;
  readonly #resumeDeadline: ResumeDeadline;
  #current: LinkSession | undefined;
  /** A carrier that was dialled before the old one was let go. */
  #spare: Carrier | undefined;
  #swapping = false;
  /** Sessions of an egress that drains: they take no new streams, and end with their last one. */
  readonly #leaving = new Set<LinkSession>();
  #age: NodeJS.Timeout | undefined;

  constructor(options: LinkOptions) {
    const { name, log, backoff, handshakeTimeoutMs } = options;
    this.#options = options;
    this.#resumeDeadline = new ResumeDeadline({ name, maxMs: handshakeTimeoutMs });
    this.#trying = new KeepTrying({
      name,
      what: 'session',
      log,
      ...(backoff && { backoff }),
      attempt: (signal) => this.#once(signal),
      hurried: () => this.#resumeDeadline.reset(),
    });
    this.#trying.trouble = `the egress ${name} has not answered yet`;
  }

  get name(): string {
    return this.#options.name;
  }
  /** Why there is no session, for error messages: the last failure. */
  get trouble(): string {
    return this.#current?.driver.doubted ? `the egress ${this.name} does not answer` : this.#trying.trouble;
  }
  /** What helps, if the last attempt to connect failed. */
  get advice(): string | undefined {
    return this.#trying.advice;
  }
  /** The session that takes new streams right now, if there is one. */
  get session(): MuxSession | undefined {
    return this.#current?.trusted ? this.#current.driver.session : undefined;
  }
  /** Open streams, on this session and on those that drain. */
  get streams(): number {
    return [this.#current, ...this.#leaving].reduce(
      (sum, session) => sum + (session?.driver.session.streamCount ?? 0),
      0,
    );
  }

  /** Runs until stopped (resolves) or denied for good (rejects with the AditError). */
  async run(): Promise<void> {
    try {
      await this.#trying.run();
    } finally {
      this.stop();
    }
  }

  /** Ends every session; open streams are reset. */
  stop(): void {
    this.#trying.stop();
    clearTimeout(this.#age);
    this.#spare?.duplex.destroy();
    for (const session of this.#leaving) session.end('NO_ERROR', 'the ingress stops');
    this.#leaving.clear();
    this.#current?.end('NO_ERROR', 'the ingress stops');
    this.#current = undefined;
  }

  /** Moves the session to a fresh carrier, without loss; if none can be dialled, the old one stays. */
  async swap(cause: string): Promise<void> {
    const session = this.#current;
    if (!session?.usable || !session.resumable || this.#swapping) return;
    this.#swapping = true;
    try {
      const carrier = await this.#options.dial(this.#trying.signal);
      if (this.#current === session && session.usable) {
        this.#spare = carrier;
        session.letGo(`a swap (${cause})`);
      } else carrier.duplex.destroy(); // the old one was lost meanwhile: a successor is on its way
    } catch (error) {
      if (!(error instanceof AditError)) throw error;
      this.#options.log.warn({ event: 'failed', egress: this.name, error }, 'no fresh carrier: the old one stays');
    } finally {
      this.#swapping = false;
    }
  }

  /** The machine slept or its network changed: probes the peer now, and cuts an attempt or a pause short. */
  doubt(): void {
    this.#current?.driver.doubt();
    this.#trying.doubt();
  }

  /** One carrier, from dialling to its loss. Returns the pause before the next, ms. */
  async #once(signal: AbortSignal): Promise<number> {
    try {
      const { session, released } = await this.#reach(signal);
      const [moved, sinceMs] = [session.moved, performance.now()];
      await released;
      // A carrier that moved nothing and died at once is as good as none: the backoff goes on.
      if (session.moved > moved || performance.now() - sinceMs >= livedMs) this.#trying.backoff.reset();
      return this.#released(session);
    } catch (error) {
      const kept = this.#current;
      if (!kept || !(error instanceof AditError) || !isSessionLoss(error.code)) throw error;
      this.#lose(kept, error.code, error.message);
      return 0;
    }
  }

  /** Dials a carrier, or takes the spare one, and attaches it: in time, if a session waits for it. */
  #reach(signal: AbortSignal): Promise<Attachment> {
    const attempt = async (ending: AbortSignal): Promise<Attachment> => {
      const carrier = this.#spare ?? (await this.#options.dial(ending));
      this.#spare = undefined;
      return await this.#attach(carrier, ending).catch((error: unknown) => {
        carrier.duplex.destroy();
        throw error;
      });
    };
    return this.#current === undefined ? attempt(signal) : this.#resumeDeadline.hold(signal, attempt);
  }

  async #attach(carrier: Carrier, signal: AbortSignal): Promise<Attachment> {
    const kept = this.#current;
    const connected = await this.#handshake(carrier, signal, kept);
    const { welcome, rest } = connected;
    if (this.#trying.signal.aborted) throw new AditError('EGRESS_UNREACHABLE', 'the ingress stops');
    if (kept && !kept.driver.session.lane.covers(welcome.position))
      throw new AditError('BAD_OFFSET', 'the egress asks for bytes that are no longer kept');
    this.#resumeDeadline.reset();
    const session = kept ?? this.#make(connected);
    this.#current = session;
    this.#logConnected(carrier, connected, kept !== undefined);
    const released = session.attach(carrier, welcome.position, rest);
    const { maxCarrierAgeMs, onUsable } = this.#options;
    if (maxCarrierAgeMs > 0) this.#age = setTimeout(() => void this.swap('its age'), maxCarrierAgeMs).unref();
    if (session.usable) onUsable(session.driver.session);
    return { session, released };
  }

  /** HELLO and WELCOME, for a new session or to resume this one; the signal destroys the carrier. */
  async #handshake(carrier: Carrier, signal: AbortSignal, kept: LinkSession | undefined): Promise<Connected> {
    const { window, agent, handshakeTimeoutMs: deadlineMs, answered } = this.#options;
    const giveUp = (): void => {
      carrier.duplex.destroy();
    };
    if (signal.aborted) giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      const resume = kept && { resume: kept.nextAttempt() };
      const lanes = this.#options.lanes !== 1;
      const connected = await connectSession(carrier, { window, agent, deadlineMs, lanes, ...resume });
      answered();
      return connected;
    } catch (error) {
      if (error instanceof RefusedError) answered();
      throw error;
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  #make(connected: Connected): LinkSession {
    const { log, onUsable } = this.#options;
    const egress = this.name;
    return new LinkSession(connected, {
      ...this.#options,
      doubted: () =>
        log.warn(
          { event: 'silent', egress },
          'the egress does not answer: new connections go elsewhere, or wait for it',
        ),
      answers: (session) => {
        log.info({ event: 'answering', egress }, 'the egress answers again');
        if (session === this.#current && session.trusted) onUsable(session.driver.session);
      },
      expired: (session) => this.#expired(session),
    });
  }

  #logConnected({ remote, kind, via, intermediary, tcp }: Carrier, { welcome }: Connected, resumed: boolean): void {
    this.#options.log.info(
      {
        event: 'connected',
        egress: this.name,
        remote,
        carrier: kind,
        ...(via !== undefined && { proxy: via }),
        ...(intermediary !== undefined && { intermediary }),
        ...(tcp && { congestion: tcp.congestion }),
        session: Buffer.from(welcome.sessionId).subarray(0, 6).toString('hex'),
        resumed,
        agent: welcome.agent,
      },
      resumed ? 'session resumed' : 'connected',
    );
  }

  /** The session has no carrier, or takes no new streams. Returns the pause before the next carrier, ms. */
  #released(session: LinkSession): number {
    const { backoff } = this.#trying;
    clearTimeout(this.#age);
    this.#trying.trouble = `${session.trouble} (${this.name})`;
    if (session.leaving) this.#leave(session);
    if (!session.over) return this.#spare || session.leaving ? 0 : backoff.next();
    // Only the next handshake shows whether the reason is final: the certificate may be a new one by then.
    this.#current = undefined;
    return Math.max(afterEndMs, backoff.next());
  }

  #expired(session: LinkSession): void {
    this.#lose(session, 'RESUME_EXPIRED', `not resumed within ${formatDuration(session.ttlMs)}`);
    this.#trying.hurry('the session expired'); // the attempt under way was to resume it
  }

  #lose(session: LinkSession, code: Code, reason: string): void {
    this.#options.log.warn(
      { event: 'disconnected', egress: this.name, code, reason, streams: session.driver.session.streamCount },
      'the session cannot be resumed: open connections are reset',
    );
    session.end(code, reason);
    this.#current = undefined;
  }

  /** Open streams finish on the session that drains; new ones get a new session. */
  #leave(session: LinkSession): void {
    this.#current = undefined;
    this.#leaving.add(session);
    for (const gone of this.#leaving) if (gone.over) this.#leaving.delete(gone);
  }
}

/** Refusals that mean that this session is gone; a new one may work. */
function isSessionLoss(code: Code): boolean {
  return code === 'NOT_RESUMABLE' || code === 'RESUME_EXPIRED' || code === 'WRONG_INSTANCE' || code === 'BAD_OFFSET';
}
