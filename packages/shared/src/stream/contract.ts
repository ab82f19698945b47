/**
 * What the relay needs of a stream, and what serving one needs. Types only.
 * Rule: that of MuxStream, which these are cut from: it ends exactly once, `events` is set before control returns to
 * whoever made it, and after a `false` of `canSend` or of a send, `writable` comes when there is room for one whole
 * read. There are two: MuxStream, on a session; ConnectionStream, a connection of its own.
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
  /** Sends somebody's buffer, which must not change any more. */
  sendView(bytes: Uint8Array): boolean;
  /** Our half is complete. */
  finish(): void;
  /** Ends both halves at once; the owner is not told. */
  reset(refusal: WireRefusal): void;
  /** The local socket has accepted `total` bytes of this stream by now. */
  accepted(total: number): void;
}

/** A stream that somebody asked for, and who is owed an answer: one of these two, once. */
export interface OfferedStream extends RelayStream {
  accept(payload: Uint8Array): void;
  refuse(refusal: WireRefusal): void;
}

/** Where streams are opened: a session, or a CONNECT proxy. */
export interface StreamOpener {
  /** Opens none any more. */
  readonly over: boolean;
  /** Bytes handed over that the far side has not acknowledged; absent where that is not known. */
  readonly unacked?: number;
  /** `payload` is that of OPEN; bytes may follow at once. */
  open(payload: Uint8Array): RelayStream;
}
