/**
 * A stream that another egress may take over while the one that got its OPEN is silent, and that waits for an egress
 * no longer than the connect timeout.
 * Rule: it moves only while its OPEN is unanswered and none of its DATA was handed to a session. The OPEN that it
 * leaves behind is followed by a RESET, so that an egress that wakes up closes it at once: no service gets a request
 * twice. While there is a doubt about the egress, early DATA is held, so that the stream can still move. A stream that
 * cannot move ends as refused when the timeout has passed and the egress is silent; one that answers may dial for
 * longer.
 * Not here: who is silent (protocol/mux/silence.ts), which egress is next (the source of sessions).
 * Spec: docs/resumption.md, "An egress that falls silent"; docs/protocol.md section 3.5.
 */
import { codes } from '../codes.ts';
import { AditError, codeOfWire, wireOfCode } from '../errors.ts';
import { seconds } from '../observe/seconds.ts';
import type { Lease } from '../protocol/mux/replay.ts';
import type { StreamEvents } from '../protocol/mux/stream.ts';
import type { WireRefusal } from '../protocol/refusal.ts';
import type { RelayStream, StreamOpener, StreamOpeners } from './contract.ts';
import { HeldBytes } from './held-bytes.ts';

export interface MovableOptions {
  /** The payload of OPEN. */
  readonly payload: Uint8Array;
  /** Who gets the OPEN first; may open streams now. */
  readonly opener: StreamOpener;
  /** Who may get it next, and how long it waits. */
  readonly openers: StreamOpeners;
  /** Since when it waits, by performance.now(). */
  readonly sinceMs: number;
}

export class MovableStream implements RelayStream {
  events!: StreamEvents;
  readonly #options: MovableOptions;
  readonly #held = new HeldBytes();
  #opener: StreamOpener;
  #stream: RelayStream;
  /** Some of its DATA was handed to a session. */
  #begun = false;
  #finished = false;
  /** The source was told to wait, by this stream and not by the one below. */
  #stopped = false;
  /** Its OPEN was answered, or it is over. */
  #settled = false;

  /** Throws what opening the stream throws. */
  constructor(options: MovableOptions) {
    this.#options = options;
    this.#opener = options.opener;
    this.#stream = this.#open(options.opener);
    watch(this);
  }

  get id(): number {
    return this.#stream.id;
  }
  get dead(): boolean {
    return this.#stream.dead;
  }
  get bytesSent(): number {
    return this.#stream.bytesSent;
  }
  get bytesReceived(): number {
    return this.#stream.bytesReceived;
  }

  /** Who has its OPEN. */
  get opener(): StreamOpener {
    return this.#opener;
  }

  canSend(): boolean {
    this.#stopped = this.#waits();
    return !this.#stopped && this.#stream.canSend();
  }

  sendBuffer(buffer: Uint8Array, length: number, lease: Lease): boolean {
    return this.#takes() ? this.#stream.sendBuffer(buffer, length, lease) : this.#held.buffer(buffer, length, lease);
  }

  sendCopy(bytes: Uint8Array): boolean {
    return this.#takes() ? this.#stream.sendCopy(bytes) : this.#held.copy(bytes);
  }

  sendView(bytes: Uint8Array): boolean {
    return this.#takes() ? this.#stream.sendView(bytes) : this.#held.view(bytes);
  }

  finish(): void {
    this.#finished = true;
    if (this.#held.size === 0) this.#stream.finish();
  }

  reset(refusal: WireRefusal): void {
    this.#settle();
    this.#held.drop();
    this.#stream.reset(refusal);
  }

  accepted(total: number): void {
    this.#stream.accepted(total);
  }

  /** Called from time to time while its OPEN is unanswered. */
  look(nowMs: number): void {
    if (this.#settled) return;
    if (!this.#opener.silent) this.#release();
    else if (!this.#move() && nowMs - this.#options.sinceMs >= this.#options.openers.connectTimeoutMs) this.#giveUp();
  }

  /** Whether its DATA waits here: nothing of it has gone, and the egress may be silent. */
  #waits(): boolean {
    return !this.#settled && !this.#begun && (this.#held.size > 0 || this.#opener.doubted === true);
  }

  /** Whether DATA goes to the session now. A session that has no room for it gets none, so that the stream can move. */
  #takes(): boolean {
    if (this.#settled || this.#begun) return true;
    this.#begun = this.canSend();
    return this.#begun;
  }

  /** The source goes on, after what was held, if the egress is not doubted any more and there is room. */
  #release(): void {
    if (this.#held.size === 0 && !this.#stopped) return;
    if (!this.#settled && (this.#opener.doubted === true || !this.#stream.canSend())) return;
    this.#sendHeld();
    this.#stopped = false;
    if (!this.#finished && this.#stream.canSend()) this.events.writable();
  }

  #sendHeld(): void {
    if (this.#held.size === 0) return;
    this.#begun = true;
    this.#stopped = true; // the source was told to wait when its bytes were held
    this.#held.sendTo(this.#stream);
    if (this.#finished) this.#stream.finish();
  }

  #open(opener: StreamOpener): RelayStream {
    const stream = opener.open(this.#options.payload);
    stream.events = {
      opened: (payload) => {
        this.#settle();
        stream.events = this.events;
        this.#sendHeld(); // before the owner sends what follows it
        this.events.opened(payload);
        this.#release();
      },
      refused: (refusal) => this.#ended(refusal, 'refused'),
      reset: (refusal) => this.#ended(refusal, 'reset'),
      data: (bytes) => this.events.data(bytes),
      end: () => this.events.end(),
      writable: () => {
        this.#stopped = true;
        this.#release();
      },
    };
    return stream;
  }

  /** Opens it elsewhere; returns false if it has to stay. */
  #move(): boolean {
    const next = this.#begun || this.#settled ? undefined : this.#options.openers.session;
    if (next === undefined || next === this.#opener || next.over || next.doubted) return false;
    const [first, opener] = [this.#stream, this.#opener];
    try {
      this.#opener = next;
      this.#stream = this.#open(next);
    } catch (error) {
      this.#opener = opener;
      if (!(error instanceof AditError)) throw error;
      return false; // the other egress cannot be asked for this destination
    }
    first.reset({ code: wireOfCode('PEER_GONE'), reason: 'this egress was silent: the stream was opened elsewhere' });
    if (this.#finished && this.#held.size === 0) this.#stream.finish();
    this.#release();
    return true;
  }

  #giveUp(): void {
    const { connectTimeoutMs } = this.#options.openers;
    const refusal = {
      code: wireOfCode('LINK_TIMEOUT'),
      reason: `the egress did not answer within ${seconds(connectTimeoutMs)}`,
    };
    this.reset({ code: wireOfCode('PEER_GONE'), reason: 'this egress was silent for too long' });
    this.events.refused(refusal);
  }

  /** The egress refused it, or its session is over; in that case it may go on elsewhere. */
  #ended(refusal: WireRefusal, how: 'refused' | 'reset'): void {
    const lost = how === 'reset' || codes[codeOfWire(refusal.code)].origin === 'link';
    if (this.#opener.over && lost && this.#move()) return;
    this.#settle();
    this.#held.drop();
    this.events[how](refusal);
  }

  #settle(): void {
    this.#settled = true;
    unanswered.delete(this);
  }
}

const lookEveryMs = 250;
const unanswered = new Set<MovableStream>();
let ticker: NodeJS.Timeout | undefined;

/** Looks at a stream until it is settled. */
function watch(stream: MovableStream): void {
  unanswered.add(stream);
  // After the reads that wait: if it was this process that hung, the answers are there already.
  ticker ??= setInterval(() => setImmediate(lookAtAll), lookEveryMs).unref();
}

function lookAtAll(): void {
  const nowMs = performance.now();
  for (const stream of [...unanswered]) stream.look(nowMs);
  if (unanswered.size > 0) return;
  clearInterval(ticker);
  ticker = undefined;
}
