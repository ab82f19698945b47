/**
 * Splices one local socket and one stream: every byte in both directions, half-close and reset as themselves.
 * Rule: the relay owns socket and stream until both are over. Credit is given for what the socket accepted. The source
 * is read only while the stream accepts more. Writes are corked and go out once per tick. Until there is a socket (the
 * egress is still dialling) bytes of the peer are held; `attach` releases them, and the end of the stream drops them.
 * Small pieces are gathered (net/gatherer.ts): one write of them is under way at a time, and what comes meanwhile
 * follows when the socket took it. So what waits costs memory in proportion to its bytes, and those are bounded by
 * the credit of the stream.
 */
import type net from 'node:net';
import type { Lease } from '../protocol/mux/replay.ts';
import { readBytes, type StreamEvents } from '../protocol/mux/stream.ts';
import type { WireRefusal } from '../protocol/refusal.ts';
import { Gatherer } from '../net/gatherer.ts';
import { resetSocket, type RelaySocket } from '../net/sockets.ts';
import { wireOfCode, type Code } from '../errors.ts';
import { seconds } from '../observe/seconds.ts';
import type { RelayStream } from './contract.ts';

export type RelayEnd = 'finished' | 'reset' | 'refused';
export interface RelayOutcome {
  readonly end: RelayEnd;
  readonly code: Code | number;
  readonly reason: string;
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

export interface RelayEvents {
  /** The far side accepted the stream (ingress only). */
  opened?(payload: Uint8Array): void;
  /** So many bytes of the stream wait for the socket, or for the dial. Called often; must be cheap. */
  waiting?(bytes: number): void;
  /** Socket and stream are over. Called once. */
  ended(outcome: RelayOutcome): void;
}

export class Relay implements StreamEvents {
  readonly stream: RelayStream;
  readonly #events: RelayEvents;
  #socket: net.Socket | undefined;
  #reads: RelaySocket['reads'];
  #peerEnd: RelaySocket['peerEnd'];
  readonly #pieces = new Gatherer((bytes, lease) => this.#pass(bytes, lease));
  /** The leases on what is being written, in order. */
  readonly #leases: Lease[] = [];
  /** A write of small pieces is under way. */
  #writing = false;
  #held: Uint8Array[] = [];
  #heldEnd = false;
  /** The bytes that were written to the socket. */
  #delivered = 0;
  #corked = false;
  /** The socket had taken everything when this turn began. */
  #drained = false;
  #ourEnd = false;
  #theirEnd = false;
  #over = false;
  #idleTimeoutMs = 0;

  constructor(stream: RelayStream, events: RelayEvents) {
    this.stream = stream;
    this.#events = events;
    stream.events = this;
  }

  get over(): boolean {
    return this.#over;
  }

  /** Joins the socket: held bytes are written, and reading begins. An `idleTimeoutMs` of 0 means no timeout. */
  attach({ socket, reads, peerEnd }: RelaySocket, options: { readonly idleTimeoutMs: number }): void {
    if (this.#over) {
      resetSocket(socket);
      return;
    }
    this.#pieces.flush();
    this.#socket = socket;
    this.#reads = reads;
    this.#peerEnd = peerEnd;
    this.#idleTimeoutMs = options.idleTimeoutMs;
    socket.on('end', () => this.#localEnd());
    socket.on('error', (error: NodeJS.ErrnoException) => this.#localError(error));
    socket.on('close', () => this.#localClose());
    socket.on('drain', () => this.#settle());
    if (options.idleTimeoutMs > 0)
      socket.setTimeout(options.idleTimeoutMs, () =>
        this.abort('IDLE_TIMEOUT', `no bytes for ${seconds(this.#idleTimeoutMs)}`),
      );
    // At once and not at the end of the tick: these bytes have waited for the dial, and go out before the answer to it
    // is encrypted.
    for (const bytes of this.#held.splice(0)) this.#pass(bytes);
    this.#settle();
    if (this.#heldEnd) this.#finishLocal();
    if (reads) reads.attach(this.stream);
    else socket.on('data', (chunk: Buffer) => this.#localData(chunk));
    if (socket.readableEnded) this.#localEnd(); // a front end read the end before
    if (socket.errored) this.#localError(socket.errored);
    else if (this.stream.canSend()) socket.resume();
    else if (!reads) socket.pause();
  }

  /** Resets both sides for a reason of ours. */
  abort(code: Code, reason: string): void {
    if (this.#over) return;
    this.stream.reset({ code: wireOfCode(code), reason });
    this.#finish({ end: 'reset', code, reason });
  }

  // From the stream.

  opened(payload: Uint8Array): void {
    this.#events.opened?.(payload);
  }

  refused(refusal: WireRefusal): void {
    this.#finish({ end: 'refused', code: refusal.code, reason: refusal.reason });
  }

  reset(refusal: WireRefusal): void {
    this.#finish({ end: 'reset', code: refusal.code, reason: refusal.reason });
  }

  data(bytes: Uint8Array): void {
    const socket = this.#socket;
    if (socket === undefined) {
      this.#pieces.add(bytes);
      this.#settle();
      return;
    }
    if (!socket.writable) return; // its `error` or `close` follows and ends the stream
    if (!this.#corked) {
      this.#corked = true;
      this.#drained = socket.writableLength === 0;
      socket.cork();
      flushSoon(this);
    }
    this.#pieces.add(bytes, this.#drained);
  }

  /** Bytes wait in the stream that `data` did not get yet. */
  held(): void {
    this.#settle();
  }

  end(): void {
    if (this.#socket === undefined) this.#heldEnd = true;
    else this.#finishLocal();
  }

  writable(): void {
    const socket = this.#socket;
    if (socket && !this.#over) socket.resume();
  }

  /** The tick is over: its writes go to the kernel in one call. */
  flush(): void {
    const socket = this.#socket;
    this.#corked = false;
    if (socket === undefined || socket.destroyed) return;
    if (!this.#writing) this.#writeSmall(socket);
    socket.uncork();
    this.#settle();
  }

  /** Bytes in order, which may be kept. */
  #pass(bytes: Uint8Array, lease?: Lease): void {
    if (this.#socket === undefined) {
      this.#held.push(bytes);
      return;
    }
    this.#delivered += bytes.length;
    if (lease === undefined) this.#socket.write(bytes);
    else {
      this.#leases.push(lease);
      this.#socket.write(bytes, this.#leaseWritten);
    }
  }

  /** The socket is done with the oldest. After an error the kernel may hold its bytes still: it is not released. */
  readonly #leaseWritten = (error?: Error | null): void => {
    const lease = this.#leases.shift()!;
    if (!error) lease.release();
  };

  #writeSmall(socket: net.Socket): void {
    const bytes = this.#pieces.take();
    if (bytes === undefined) return;
    this.#writing = true;
    this.#delivered += bytes.length;
    socket.write(bytes, this.#wrote);
  }

  /** The socket took the small pieces, or was destroyed. */
  readonly #wrote = (): void => {
    this.#writing = false;
    const socket = this.#socket!;
    if (socket.destroyed) return;
    this.#writeSmall(socket);
    this.#settle();
  };

  #settle(): void {
    if (this.#over) return;
    const socket = this.#socket;
    const accepted = socket ? this.#delivered - socket.writableLength : 0;
    if (socket) {
      if (socket.writableLength === 0) this.#pieces.release();
      this.stream.accepted(accepted);
    }
    this.#events.waiting?.(this.stream.bytesReceived - accepted);
  }

  #finishLocal(): void {
    this.#theirEnd = true;
    this.#pieces.flush();
    this.#socket?.end();
    this.#maybeFinished();
  }

  // From the socket.

  #localData(chunk: Buffer): void {
    let more = true;
    for (let at = 0; at < chunk.length; at += readBytes)
      more = this.stream.sendView(chunk.subarray(at, at + readBytes));
    if (!more) this.#socket?.pause();
  }

  #localEnd(): void {
    if (this.#over) return;
    if (this.#peerEnd?.inOrder === false) {
      this.abort('PEER_GONE', 'the local side broke the connection');
      return;
    }
    this.#ourEnd = true;
    this.stream.finish();
    this.#maybeFinished();
  }

  #localError(error: NodeJS.ErrnoException): void {
    if (this.#over) return;
    const gone =
      error.code === 'EPIPE' || error.code === 'ERR_STREAM_WRITE_AFTER_END' || error.code === 'ERR_STREAM_DESTROYED';
    this.abort(gone ? 'PEER_GONE' : 'CONNECTION_RESET', `the local side failed: ${error.code ?? error.message}`);
  }

  #localClose(): void {
    this.#reads?.close();
    if (this.#over) return;
    if (this.#ourEnd && this.#theirEnd) this.#finish({ end: 'finished', code: 'NO_ERROR', reason: '' });
    else this.abort('PEER_GONE', 'the local side closed');
  }

  /**
   * Both halves ended in order. The outcome waits until the socket has written the last bytes, so that a late reset is
   * still seen.
   */
  #maybeFinished(): void {
    if (this.#ourEnd && this.#theirEnd && this.#socket?.destroyed)
      this.#finish({ end: 'finished', code: 'NO_ERROR', reason: '' });
  }

  #finish(outcome: Omit<RelayOutcome, 'bytesSent' | 'bytesReceived'>): void {
    if (this.#over) return;
    this.#over = true;
    this.#held = [];
    this.#pieces.drop();
    const socket = this.#socket;
    // its buffer returns to the pool at `close`: a reset may be delayed while the kernel reads on
    if (socket && outcome.end !== 'finished') resetSocket(socket);
    this.#events.ended({ ...outcome, bytesSent: this.stream.bytesSent, bytesReceived: this.stream.bytesReceived });
  }
}

let dirty: Relay[] = [];

function flushSoon(relay: Relay): void {
  if (dirty.length === 0) setImmediate(flushAll);
  dirty.push(relay);
}

function flushAll(): void {
  const batch = dirty;
  dirty = [];
  for (const relay of batch) relay.flush();
}
