/**
 * The contracts of streams: what the relay needs of one, what serving one needs, and where they are opened. Types only.
 * Rule: as for MuxStream, from which these are taken: a stream ends exactly once; `events` is set before control
 * returns to its maker; after a `false` of `canSend` or of a send, `writable` follows when there is room for one whole
 * read. MuxStream is a stream of a session, ConnectionStream a connection of its own, PendingStream one that is not
 * there yet, MovableStream one that another egress may yet take over.
 */
import type { ReadSink } from '../net/read-buffers.ts';
import type { StreamEvents } from '../protocol/mux/stream.ts';
import type { WireRefusal } from '../protocol/refusal.ts';

export interface RelayStream extends ReadSink {
  readonly id: number;
  readonly dead: boolean;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  events: StreamEvents;
  canSend(): boolean;
  /** Sends a foreign buffer, which must not change any more. */
  sendView(bytes: Uint8Array): boolean;
  /** Our half is complete. */
  finish(): void;
  /** Ends both halves at once, without an event for the owner. */
  reset(refusal: WireRefusal): void;
  /** The local socket has accepted `total` bytes of this stream so far. */
  accepted(total: number): void;
}

/** A stream that the peer asked for. It is answered once, by one of these two. */
export interface OfferedStream extends RelayStream {
  accept(payload: Uint8Array): void;
  refuse(refusal: WireRefusal): void;
}

/** Where streams are opened: a session, or a CONNECT proxy. */
export interface StreamOpener {
  /** No stream can be opened any more. */
  readonly over: boolean;
  /** The bytes sent that the far side has not acknowledged; absent if that is unknown. */
  readonly unacked?: number;
  /** The far side owes an answer for too long, and was asked whether it is there; absent if that cannot be known. */
  readonly doubted?: boolean;
  /** It has not answered that either. */
  readonly silent?: boolean;
  /** Opens a stream. `payload` is that of OPEN; bytes may follow at once. */
  open(payload: Uint8Array): RelayStream;
}

/** All of them, over the egresses that there are. */
export interface StreamOpeners {
  /** The one that takes the next stream, if there is one. */
  readonly session: StreamOpener | undefined;
  /** How long a connection waits for an egress, ms. */
  readonly connectTimeoutMs: number;
}
