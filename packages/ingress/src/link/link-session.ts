/**
 * One session of the link, over all its carriers: what resuming it takes, and how it ended.
 * Rule: the promise that `attach` returns resolves when the carrier no longer serves new streams, for whatever reason.
 * Not here: dialling, and when to resume (the link).
 */
import type { Carrier } from '@adit/shared/carrier/contract';
import { type Code, codeOfWire, wireOfCode } from '@adit/shared/errors';
import type { Logger } from '@adit/shared/observe/logger';
import { feature } from '@adit/shared/protocol/hello';
import type { Position } from '@adit/shared/protocol/mux/lane';
import type { Connected, SessionSecret } from '@adit/shared/session/connect';
import { FurtherLanes, type FurtherLanesOptions } from './further-lanes.ts';
import { SessionDriver } from '@adit/shared/session/session-driver';

export interface LinkSessionOptions extends FurtherLanesOptions {
  readonly replayLimitBytes: number;
  /** Called when the egress owes an answer for too long, and when it answers again. */
  readonly doubted: () => void;
  readonly answers: (session: LinkSession) => void;
  /** Called when it has waited for a carrier for as long as the egress keeps it: it is to be ended. */
  readonly expired: (session: LinkSession) => void;
}

const pingAfterMs = 10_000;
const deadAfterMs = 3_000;
/** The longest timer that Node takes, ms. */
const longestMs = 2 ** 31 - 1;

export class LinkSession {
  readonly driver: SessionDriver;
  readonly secret: SessionSecret;
  /** How long the egress keeps it without a carrier, ms. */
  readonly ttlMs: number;
  /** Both ends keep what they sent until it is acknowledged. */
  readonly resumable: boolean;
  /** The egress takes no new streams on it. */
  leaving = false;
  /** Absent where both ends agreed on one lane. */
  readonly further: FurtherLanes | undefined;
  over = false;
  /** Why it last lost its carrier. */
  trouble = '';
  #epoch = 0;
  readonly #log: Logger;
  readonly #expire: () => void;
  #expiry: NodeJS.Timeout | undefined;
  #released: (() => void) | undefined;

  constructor({ welcome, secret }: Connected, options: LinkSessionOptions) {
    const { window, replayLimitBytes, log, expired } = options;
    this.secret = secret;
    this.ttlMs = welcome.resumeTtlS * 1000;
    this.resumable = (welcome.features & feature.resume) !== 0;
    const lanes = this.resumable && options.lanes !== 1 ? welcome.lanes : 1;
    this.further = lanes > 1 ? new FurtherLanes(this, options) : undefined;
    this.#log = log;
    this.#expire = () => expired(this);
    this.driver = new SessionDriver(
      {
        role: 'client',
        resumable: this.resumable,
        lanes,
        receiveWindow: window,
        sendWindow: welcome.window,
        maxStreams: 0,
        replayLimitBytes,
        pingAfterMs,
        deadAfterMs,
      },
      {
        opened: (stream) => stream.refuse({ code: wireOfCode('UNSUPPORTED'), reason: 'this ingress takes no streams' }),
        goaway: ({ reason }) => this.#drains(reason),
        doubted: () => options.doubted(),
        answers: () => options.answers(this),
        lost: (reason) => this.#lost(reason),
        laneLost: (lane, reason) => this.further?.lost(lane, reason),
        crowded: () => this.further?.crowded(),
        ended: ({ code, reason }) => this.#ended(codeOfWire(code), reason),
      },
    );
  }

  /** It takes new streams, as far as is known. */
  get usable(): boolean {
    return this.driver.attached && !this.leaving && !this.over;
  }
  /** It takes new streams, and the egress is not doubted. */
  get trusted(): boolean {
    return this.usable && !this.driver.doubted;
  }

  /** Bytes that its carriers have moved so far: sent and acknowledged, plus received. */
  get moved(): number {
    return this.driver.session.lane.log.acked + this.driver.session.lane.position.offset;
  }

  /** The part of HELLO that resumes it; every attempt is a new epoch. */
  nextAttempt(): SessionSecret & { readonly epoch: number; readonly position: Position } {
    return { ...this.secret, epoch: ++this.#epoch, position: this.driver.session.lane.position };
  }

  attach(carrier: Carrier, theirs: Position, rest: Uint8Array): Promise<void> {
    clearTimeout(this.#expiry);
    return new Promise((resolve) => {
      this.#released = resolve;
      this.driver.attach(carrier, theirs, rest);
    });
  }

  /** Lets go of the carrier, because another one is ready. */
  letGo(cause: string): void {
    this.further?.renew(cause);
    this.driver.detach();
    this.#wait();
    this.#release(cause);
  }

  /** Ends it; its streams are reset with the reason. */
  end(code: Code, reason: string): void {
    if (this.over) return;
    this.over = true;
    this.further?.stop();
    clearTimeout(this.#expiry);
    this.driver.end({ code: wireOfCode(code), reason });
    this.#release(reason);
  }

  #drains(reason: string): void {
    this.#log.info(
      { event: 'draining', reason, streams: this.driver.session.streamCount },
      'the egress drains: new connections go to a new session',
    );
    this.leaving = true;
    this.#release(`the egress drains (${reason})`);
  }

  #lost(reason: string): void {
    this.#log.warn(
      { event: 'detached', reason, streams: this.driver.session.streamCount },
      'the connection to the egress broke',
    );
    // An egress that drains takes no carrier any more: its streams cannot be resumed.
    if (!this.resumable || this.leaving) this.end('LINK_LOST', reason);
    else this.#wait();
    this.#release(`the connection to the egress broke (${reason})`);
  }

  #ended(code: Code, reason: string): void {
    this.#log.warn({ event: 'disconnected', code, reason }, 'the egress ended the session');
    this.over = true;
    this.further?.stop();
    this.#release(`the egress ended the session (${reason})`);
  }

  /** The egress gives it up after the resume window, and so does the ingress, even during an attempt. */
  #wait(): void {
    this.#expiry = setTimeout(this.#expire, Math.min(this.ttlMs, longestMs)).unref();
  }

  #release(trouble: string): void {
    this.trouble = trouble;
    this.#released?.();
    this.#released = undefined;
  }
}
