/**
 * Two mux sessions over a simulated link: an injected clock, byte queues, carriers that die at any byte. No sockets, no
 * timers.
 * Rule: a carrier delivers a prefix of what was written to it; after a cut both ends attach anew with each other's
 * position, as HELLO and WELCOME do. Pooled buffers are poisoned when they are given back, so that a reuse while the
 * log or the link still needs them shows as wrong bytes.
 */
import type { ParseBudget } from '../../packages/shared/src/protocol/mux/decoder.ts';
import { MuxSession, type SessionEvents, type SessionOptions } from '../../packages/shared/src/protocol/mux/session.ts';
import type { SessionLane } from '../../packages/shared/src/protocol/mux/session-lane.ts';
import type { MuxStream, StreamEvents } from '../../packages/shared/src/protocol/mux/stream.ts';
import type { Lease } from '../../packages/shared/src/protocol/mux/replay.ts';
import type { Close, WireRefusal } from '../../packages/shared/src/protocol/refusal.ts';

export type Side = 'client' | 'server';
export const other = (side: Side): Side => (side === 'client' ? 'server' : 'client');

/** What one end of a stream has seen; `ends` counts the ends that its owner was told of, which must be one. */
export class Seen implements StreamEvents {
  readonly stream: MuxStream;
  received = 0;
  /** The destination takes bytes only when told to. */
  accepted = 0;
  sent = 0;
  openedBy = 0;
  ended = false;
  finSent = false;
  over: 'refused' | 'reset' | undefined;
  code = -1;
  overs = 0;
  /** Turns that were given and not used. */
  turns = 0;
  readonly #check: (at: number, bytes: Uint8Array) => void;

  constructor(stream: MuxStream, check: (at: number, bytes: Uint8Array) => void) {
    this.stream = stream;
    this.#check = check;
    stream.events = this;
  }
  opened(): void {
    this.openedBy++;
  }
  refused({ code }: WireRefusal): void {
    this.#finish('refused', code);
  }
  reset({ code }: WireRefusal): void {
    this.#finish('reset', code);
  }
  end(): void {
    if (this.ended) throw new Error('a second end');
    this.ended = true;
  }
  writable(): void {
    this.turns = 1;
  }
  data(bytes: Uint8Array): void {
    if (this.ended || this.over) throw new Error('bytes after the end');
    this.#check(this.received, bytes);
    this.received += bytes.length;
  }
  accept(): void {
    this.accepted = this.received;
    this.stream.accepted(this.accepted);
  }
  #finish(how: 'refused' | 'reset', code: number): void {
    this.overs++;
    this.over = how;
    this.code = code;
  }
}

/** The byte at place `at` of direction `seed`: anything out of order, lost, doubled or overwritten shows. */
export function byteAt(seed: number, at: number): number {
  return (seed * 131 + at * 7 + (at >>> 8) * 13 + (at >>> 16)) & 0xff;
}
export function bytesAt(seed: number, at: number, length: number): Uint8Array {
  const out = new Uint8Array(length);
  for (let n = 0; n < length; n++) out[n] = byteAt(seed, at + n);
  return out;
}

export interface PairOptions {
  readonly replayLimitBytes?: number;
  readonly window?: number;
  readonly maxStreams?: number;
  readonly resumable?: boolean;
  readonly lanes?: number;
}

export class MuxPair {
  nowMs = 0;
  readonly ends: Record<Side, MuxSession>;
  readonly streams: Record<Side, Map<number, Seen>> = { client: new Map(), server: new Map() };
  readonly closed: Record<Side, Close | undefined> = { client: undefined, server: undefined };
  readonly goaways: Side[] = [];
  /** Whether an end has asked to be flushed; for a test that plays the driver. */
  readonly woken: Record<Side, boolean> = { client: false, server: false };
  /** Written to the carrier and not yet delivered, by writer. */
  readonly link: Record<Side, Uint8Array[]> = { client: [], server: [] };
  attached = true;
  full: Record<Side, boolean> = { client: false, server: false };
  delivered = 0;

  constructor({
    replayLimitBytes = 1 << 20,
    window = 262_144,
    maxStreams = 64,
    resumable = true,
    lanes = 1,
  }: PairOptions = {}) {
    const make = (role: Side): MuxSession => {
      const options: SessionOptions = {
        role,
        resumable,
        receiveWindow: window,
        sendWindow: window,
        maxStreams,
        replayLimitBytes,
        lanes,
        now: () => this.nowMs,
        allocate: (bytes) => new Uint8Array(bytes),
      };
      const events: SessionEvents = {
        wake: () => {
          this.woken[role] = true;
        }, // the pair itself flushes when it is told to
        opened: (stream) => {
          this.#see(role, stream);
        },
        goaway: () => {
          this.goaways.push(role);
        },
        closed: (close) => {
          this.closed[role] = close;
        },
        laneClosed: (lane) => this.laneClosed(role, lane),
      };
      return new MuxSession(options, events);
    };
    this.ends = { client: make('client'), server: make('server') };
    for (const side of ['client', 'server'] as const) this.ends[side].first.attach({ offset: 0, partial: 0 });
  }

  open(): Seen {
    return this.#see('client', this.ends.client.open(new Uint8Array([1, 2, 3])));
  }

  /**
   * Sends `length` bytes of the stream's pattern the given way, if the stream takes them; says whether its source may
   * read on.
   */
  send(side: Side, id: number, length: number, how: 'copy' | 'buffer' | 'view'): boolean {
    const seen = this.streams[side].get(id);
    if (!seen || seen.over || seen.finSent) return false;
    // A turn that was given is one read, without asking again.
    if (seen.turns > 0) seen.turns--;
    else if (!seen.stream.canSend()) return false;
    const bytes = bytesAt(seedOf(side, id), seen.sent, length);
    seen.sent += length;
    if (how === 'copy') return seen.stream.sendCopy(bytes);
    if (how === 'view') return seen.stream.sendView(bytes);
    const buffer = new Uint8Array(8 + length);
    buffer.set(bytes, 8);
    return seen.stream.sendBuffer(buffer, length, poison(buffer));
  }

  finish(side: Side, id: number): void {
    const seen = this.streams[side].get(id);
    if (!seen || seen.over) return;
    seen.finSent = true;
    seen.stream.finish();
  }

  /** A further lane is closed at this end; for a pair that has some. */
  laneClosed(_side: Side, _lane: SessionLane): void {
    throw new Error('there is one lane');
  }

  /** Writes what an end has to the link. */
  flush(side: Side): void {
    const queued = (): number => this.link[side].reduce((sum, { length }) => sum + length, 0);
    this.ends[side].lane.busy = this.full[side] || queued() >= 262_144;
    // The link owns a copy from here on, as the kernel does.
    this.ends[side].first.flush((bytes, done?: Lease) => {
      this.link[side].push(bytes.slice());
      done?.release();
      return !this.full[side] && queued() < 262_144;
    });
    this.ends[side].lane.busy = this.full[side] || queued() >= 262_144;
  }

  /** Delivers at most `bytes` of what `side` wrote, split anywhere; what is over the budget of the receiver stays. */
  deliver(side: Side, bytes = Infinity, budget?: ParseBudget): void {
    const queue = this.link[side];
    for (let left = bytes; left > 0 && queue.length > 0 && this.attached;) {
      const head = queue[0]!;
      const taken = head.subarray(0, Math.min(left, head.length));
      if (taken.length === head.length) queue.shift();
      else queue[0] = head.subarray(taken.length);
      left -= taken.length;
      const parsed = this.ends[other(side)].first.receive(taken, budget);
      this.delivered += parsed;
      if (parsed === taken.length) continue;
      queue.unshift(taken.subarray(parsed));
      break;
    }
    if (queue.length === 0 && !this.full[side]) this.ends[side].lane.busy = false;
  }

  /** The carrier dies: what was not delivered is gone. */
  cut(): void {
    if (!this.attached) return;
    this.attached = false;
    for (const side of ['client', 'server'] as const) {
      this.link[side] = [];
      this.ends[side].first.detach();
    }
  }

  resume(): void {
    if (this.attached) return;
    const positions = { client: this.ends.client.lane.position, server: this.ends.server.lane.position };
    for (const side of ['client', 'server'] as const)
      if (!this.ends[side].lane.covers(positions[other(side)]))
        throw new Error(`${side} cannot resume at ${JSON.stringify(positions[other(side)])}`);
    this.ends.client.first.attach(positions.server);
    this.ends.server.first.attach(positions.client);
    this.attached = true;
  }

  /** Delivers everything, with destinations that accept, until nothing moves any more. */
  settle(): void {
    this.full = { client: false, server: false };
    this.resume();
    for (let quiet = 0; quiet < 3;) {
      const before = this.delivered;
      for (const side of ['client', 'server'] as const) {
        this.flush(side);
        this.deliver(side);
      }
      this.nowMs += 5;
      for (const side of ['client', 'server'] as const)
        for (const seen of this.streams[side].values()) if (!seen.over) seen.accept();
      quiet = this.delivered === before ? quiet + 1 : 0;
    }
  }

  #see(side: Side, stream: MuxStream): Seen {
    const seed = seedOf(other(side), stream.id);
    const seen = new Seen(stream, (at, bytes) => {
      for (let n = 0; n < bytes.length; n++)
        if (bytes[n] !== byteAt(seed, at + n))
          throw new Error(
            `stream ${stream.id} at the ${side}: byte ${at + n} is ${bytes[n]}, not ${byteAt(seed, at + n)}`,
          );
    });
    this.streams[side].set(stream.id, seen);
    return seen;
  }
}

function seedOf(side: Side, id: number): number {
  return id * 2 + (side === 'client' ? 0 : 1);
}

function poison(buffer: Uint8Array): Lease {
  let given = false;
  return {
    release: () => {
      if (given) throw new Error('a buffer was given back twice');
      given = true;
      buffer.fill(0xee);
    },
  };
}
