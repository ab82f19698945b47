/**
 * Keeps the further lanes of one session: dials one where bulk would hold up other streams, and closes it when it has
 * not been needed for a while.
 * Rule: nothing that becomes of a further lane ends the session. Each is dialled the way lane 0 got through. While the
 * session moves no bulk there is none, and nothing runs.
 * Not here: which streams send on which lane (protocol/mux/placement.ts).
 * Spec: docs/protocol.md section 3.10.
 */
import type { Carrier } from '@adit/shared/carrier/contract';
import { AditError } from '@adit/shared/errors';
import { newBackoff } from '@adit/shared/net/backoff';
import type { Logger } from '@adit/shared/observe/logger';
import { maxLanes } from '@adit/shared/protocol/mux/frame';
import { connectSession, type SessionSecret } from '@adit/shared/session/connect';
import type { SessionDriver } from '@adit/shared/session/session-driver';

/** The session that has the lanes. */
export interface Laned {
  readonly driver: SessionDriver;
  readonly secret: SessionSecret;
  /** It takes new streams, as far as is known. */
  readonly usable: boolean;
}

export interface FurtherLanesOptions {
  /** The egress, for logs. */
  readonly name: string;
  /** The most lanes, with lane 0; `auto`: as many as serve, where the path has a round trip that is worth it. */
  readonly lanes: number | 'auto';
  /** Makes another authenticated carrier the way this one was made; rejects with AditError. */
  readonly dialBeside: (carrier: Carrier, signal: AbortSignal) => Promise<Carrier>;
  readonly handshakeTimeoutMs: number;
  readonly window: number;
  readonly agent: string;
  readonly log: Logger;
  /** How long a lane is kept that is not needed; default 10 s. */
  readonly idleLaneMs?: number;
}

/** How often the need is looked at while there is bulk, ms; a need that lasts two looks opens a lane. */
const lookEveryMs = 250;
/** A lane that was not needed for so long is closed, by default, ms: opening one costs three round trips. */
const idleMs = 10_000;
/**
 * With `auto`, a path with a shorter round trip gets no lanes, ms: what waits before it is gone in a moment, and more
 * connections only cost more system calls.
 */
const leastRttMs = 5;
/** A lane that moved less than this from one look to the next is light: 0.5 Mbit/s, as in protocol/mux/meter.ts. */
const quietBytes = 16_384;
/** Pauses after a lane that was refused, or that lived for less than `idleMs`: with jitter up to this, ms. */
const maxPauseMs = 60_000;

export class FurtherLanes {
  readonly #session: Laned;
  readonly #options: FurtherLanesOptions;
  readonly #stop = new AbortController();
  readonly #backoff = newBackoff({ firstMs: 1_000, capMs: maxPauseMs });
  /** Lanes that have a carrier, and since when. */
  readonly #open = new Map<number, number>();
  readonly #dialling = new Set<number>();
  /** Bytes that each lane had moved when it was last looked at. */
  #moved = new Map<number, number>();
  #looking: NodeJS.Timeout | undefined;
  #short = 0;
  #idleSinceMs: number | undefined;
  #notBeforeMs = 0;

  constructor(session: Laned, options: FurtherLanesOptions) {
    this.#session = session;
    this.#options = options;
  }

  /** There is bulk: looks whether lanes are needed, until there is none and no lane either. Called often. */
  crowded(): void {
    if (this.#stop.signal.aborted) return;
    this.#looking ??= setInterval(() => this.#look(), lookEveryMs).unref();
  }

  /** A lane is closed, by the peer or with its carrier. */
  lost(lane: number, reason: string): void {
    const sinceMs = this.#open.get(lane);
    this.#log(lane, { state: 'closed', reason });
    if (sinceMs !== undefined && performance.now() - sinceMs < idleMs) this.#pause();
    else this.#backoff.reset();
    this.#open.delete(lane);
  }

  /** Closes all lanes; those that are needed are dialled again. */
  renew(reason: string): void {
    for (const lane of [...this.#open.keys()]) this.#close(lane, reason);
  }

  /** The session is over. */
  stop(): void {
    this.#stop.abort();
    clearInterval(this.#looking);
    this.#looking = undefined;
  }

  #look(): void {
    const { session } = this.#session.driver;
    const wanted = Math.min(session.lanesWanted, this.#most);
    const have = 1 + this.#open.size + this.#dialling.size;
    if (wanted > have) this.#grow(wanted - have);
    else this.#short = 0;
    if (wanted < have) this.#shrink();
    else this.#idleSinceMs = undefined;
    if (wanted > 1 || have > 1) return;
    clearInterval(this.#looking);
    this.#looking = undefined;
  }

  get #most(): number {
    const { lanes } = this.#options;
    return lanes === 'auto' ? Infinity : lanes;
  }

  #grow(by: number): void {
    const { driver, usable } = this.#session;
    const tooNear = this.#options.lanes === 'auto' && driver.session.lane.flight.leastRttMs < leastRttMs;
    if (tooNear || !usable || ++this.#short < 2 || performance.now() < this.#notBeforeMs) return;
    for (let n = 0; n < by; n++) void this.#dial();
  }

  /** Closes a lane that moves next to nothing, the one with the greatest number. */
  #shrink(): void {
    const nowMs = performance.now();
    this.#idleSinceMs ??= nowMs;
    const before = this.#moved;
    const lanes = this.#session.driver.session.lanes.all.filter(({ number }) => this.#open.has(number));
    this.#moved = new Map(lanes.map(({ number, lane }) => [number, lane.log.acked + lane.position.offset]));
    if (nowMs - this.#idleSinceMs < (this.#options.idleLaneMs ?? idleMs)) return;
    const quiet = [...this.#moved].findLast(([number, moved]) => moved - (before.get(number) ?? 0) < quietBytes);
    if (quiet) this.#close(quiet[0], 'it is not needed any more');
  }

  async #dial(): Promise<void> {
    const { driver } = this.#session;
    const { dialBeside } = this.#options;
    const number = this.#free();
    if (number === undefined || driver.carrier === undefined) return;
    this.#dialling.add(number);
    let carrier: Carrier | undefined;
    try {
      carrier = await dialBeside(driver.carrier, this.#stop.signal);
      await this.#add(carrier, number);
    } catch (error) {
      carrier?.duplex.destroy();
      if (!(error instanceof AditError)) throw error;
      if (!this.#stop.signal.aborted) this.#refused(error);
    } finally {
      this.#dialling.delete(number);
    }
  }

  /** A number that no lane has, at either end as far as is known. */
  #free(): number | undefined {
    const { lanes } = this.#session.driver.session;
    for (let number = 1; number < maxLanes; number++)
      if (!lanes.of(number) && !this.#dialling.has(number)) return number;
    return undefined;
  }

  async #add(carrier: Carrier, number: number): Promise<void> {
    const { driver, secret } = this.#session;
    const { window, agent, handshakeTimeoutMs: deadlineMs } = this.#options;
    const giveUp = (): void => {
      carrier.duplex.destroy();
    };
    this.#stop.signal.addEventListener('abort', giveUp, { once: true });
    try {
      const { rest } = await connectSession(carrier, { window, agent, deadlineMs, add: { ...secret, lane: number } });
      if (this.#stop.signal.aborted) throw new AditError('LINK_LOST', 'the session is over');
      this.#open.set(number, performance.now());
      this.#log(number, { state: 'opened', remote: carrier.remote, carrier: carrier.kind });
      driver.addLane(number, carrier, rest);
    } finally {
      this.#stop.signal.removeEventListener('abort', giveUp);
    }
  }

  #refused(error: AditError): void {
    this.#pause();
    const { name, log } = this.#options;
    log.info({ event: 'failed', egress: name, error }, 'no further connection: the session goes on without it');
  }

  #pause(): void {
    this.#notBeforeMs = performance.now() + this.#backoff.next();
  }

  #close(lane: number, reason: string): void {
    this.#open.delete(lane);
    this.#backoff.reset();
    this.#log(lane, { state: 'closed', reason });
    this.#session.driver.closeLane(lane);
  }

  #log(lane: number, what: Readonly<Record<string, string>>): void {
    const { log, name } = this.#options;
    log.info({ event: 'lane', egress: name, lane, ...what }, `lane ${what['state']}`);
  }
}
