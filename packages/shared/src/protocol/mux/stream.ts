/**
 * One stream of a session: two directions, each ended by its own FIN, or both by a reset.
 * Rule: OPEN, its DATA and FIN keep their order in the lane. Every stream ends exactly once for its owner: refused,
 * reset (by either side), or by both FINs. A source asks `canSend` before it reads; after `false` it waits for
 * `writable`.
 * Spec: docs/protocol.md sections 3.2 and 3.6.
 */
import { putU32 } from '../bytes.ts';
import { encodeRefusal, ProtocolFault, wireCode, type WireRefusal } from '../refusal.ts';
import { frameType, maxDataBytes, putDataHeader } from './frame.ts';
import type { Lease } from './replay.ts';
import { ReceiveWindow } from './window.ts';

/** The events of a stream, for its owner. None of these may throw. */
export interface StreamEvents {
  /** The egress connected the destination (OPEN_OK). */
  opened(payload: Uint8Array): void;
  /** The egress refused (OPEN_ERR). The stream is over. */
  refused(refusal: WireRefusal): void;
  /** The next bytes, valid during the call only: their memory may be read into again (net/carrier-reads.ts). */
  data(bytes: Uint8Array): void;
  /** The stream holds bytes that `data` gets later: `bytesReceived` has grown. */
  held?(): void;
  /** The peer will send no more (FIN). */
  end(): void;
  /** Both directions are dead. */
  reset(refusal: WireRefusal): void;
  /** `canSend` is true again. */
  writable(): void;
}

/** What a stream needs of the lane that it sends on. */
export interface StreamHost {
  readonly nowMs: number;
  readonly srttMs: number;
  /** By how much the windows of all streams may still grow; bytes. Streams take from it and give back. */
  growthBytes: number;
  /** OPENs of ours that the peer has not answered. Streams count themselves. */
  unanswered: number;
  hasRoom(extraBytes: number): boolean;
  append(type: number, streamId: number, payload: Uint8Array): void;
  appendBuffer(buffer: Uint8Array, length: number, lease: Lease): void;
  appendView(streamId: number, bytes: Uint8Array): void;
  waitForTurn(stream: MuxStream): void;
  /** Gives up its turn; says whether it waited for one. */
  leaveTurn(stream: MuxStream): boolean;
  forget(stream: MuxStream): void;
  /** How many streams send on it. Streams count themselves. */
  streams: number;
  /** The lane offset behind everything that was appended. */
  readonly head: number;
  /** Its streams are to send elsewhere. */
  readonly closing: boolean;
  /** The stream is to be told of every acknowledgement (`passed`), the last one first. */
  startMove(stream: MuxStream): void;
  /** The stream sent so much in one epoch that it is not light. */
  sentMuch(stream: MuxStream, bytes: number): void;
  /** The destination of the stream accepted so much more: about half a window. */
  tookMuch(stream: MuxStream, bytes: number): void;
}

/** A stream on its way to another lane: it waits until the old one acknowledged what it sent there. */
interface Move {
  to: StreamHost;
  /** The offset of the old lane behind its last frame. */
  mark: number;
  /** Its source was told to wait. */
  waits: boolean;
}

/** The credit that a source needs before it reads: one whole read. */
export const readBytes = 65_536;
const lightBytes = 16_384;
const lightWindowMs = 100;
const lightExtraBytes = 131_072;
const nothing = new Uint8Array(0);

export class MuxStream {
  readonly id: number;
  /** Set by the owner before control returns to the session. */
  events!: StreamEvents;
  bytesSent = 0;
  #host: StreamHost;
  /** Where it was opened: its OPEN is unanswered there. */
  readonly #opener: StreamHost;
  #move: Move | undefined;
  readonly #window: ReceiveWindow;
  #credit: number;
  #creditBlocked = false;
  #finSent = false;
  #finReceived = false;
  #answered: boolean;
  #dead = false;
  #epochAtMs = 0;
  #epochBytes = 0;

  constructor(
    id: number,
    host: StreamHost,
    options: { readonly sendCredit: number; readonly receiveWindow: number; readonly ours: boolean },
  ) {
    this.id = id;
    this.#host = this.#opener = host;
    host.streams++;
    this.#credit = options.sendCredit;
    this.#window = new ReceiveWindow(options.receiveWindow);
    this.#answered = !options.ours;
    if (options.ours) host.unanswered++;
  }

  get dead(): boolean {
    return this.#dead;
  }
  get bytesReceived(): number {
    return this.#window.received;
  }

  /** The lane that it sends on. */
  get lane(): StreamHost {
    return this.#host;
  }
  /** The lane that it will send on: another one while it moves. */
  get target(): StreamHost {
    return this.#move?.to ?? this.#host;
  }

  /** Whether the source may read once more (up to `readBytes`). After false, `writable` follows when it may. */
  canSend(): boolean {
    if (this.#dead || this.#finSent) return false;
    if (this.#credit < readBytes) {
      this.#creditBlocked = true;
      return false;
    }
    if (this.#move) {
      this.#move.waits = true;
      return false;
    }
    if (this.#host.hasRoom(this.#isLight() ? lightExtraBytes : 0)) return true;
    this.#host.waitForTurn(this);
    return false;
  }

  /**
   * Sends a read buffer without a copy: `length` payload bytes at offset `headerBytes`, room for the header before
   * them. The stream owns the lease from here on.
   */
  sendBuffer(buffer: Uint8Array, length: number, lease: Lease): boolean {
    if (this.#dead) {
      lease.release();
      return false;
    }
    putDataHeader(buffer, length, this.id);
    this.#host.appendBuffer(buffer, length, lease);
    return this.#spent(length);
  }

  /** Sends a copy of a small read. */
  sendCopy(bytes: Uint8Array): boolean {
    if (this.#dead) return false;
    this.#host.append(frameType.data, this.id, bytes);
    return this.#spent(bytes.length);
  }

  /** Sends at most `readBytes` of a foreign buffer, which must not change any more. */
  sendView(bytes: Uint8Array): boolean {
    if (this.#dead) return false;
    for (let at = 0; at < bytes.length; at += maxDataBytes)
      this.#host.appendView(this.id, bytes.subarray(at, at + maxDataBytes));
    return this.#spent(bytes.length);
  }

  /** Our half is complete. */
  finish(): void {
    if (this.#dead || this.#finSent) return;
    this.#finSent = true;
    this.#append(frameType.fin, nothing);
    this.#settle();
  }

  /** Ends both halves at once, without an event for the owner. */
  reset(refusal: WireRefusal): void {
    if (this.#dead) return;
    this.#append(frameType.reset, encodeRefusal(refusal));
    this.#die();
  }

  /** Accepts the peer's OPEN: the destination is connected. */
  accept(payload: Uint8Array): void {
    if (!this.#dead) this.#append(frameType.openOk, payload);
  }

  /** Refuses the peer's OPEN. */
  refuse(refusal: WireRefusal): void {
    if (this.#dead) return;
    this.#append(frameType.openErr, encodeRefusal(refusal));
    this.#die();
  }

  /** The destination has accepted `total` bytes of this stream so far. */
  accepted(total: number): void {
    if (this.#dead || this.#finReceived) return;
    const host = this.#host;
    const before = this.#window.grown;
    const credit = this.#window.accept(total, { nowMs: host.nowMs, srttMs: host.srttMs, mayGrow: host.growthBytes });
    host.growthBytes -= this.#window.grown - before;
    if (credit === 0) return;
    const payload = new Uint8Array(4);
    putU32(payload, 0, credit);
    this.#host.append(frameType.window, this.id, payload);
    this.#host.tookMuch(this, credit);
  }

  /**
   * Sends on another lane from now on, as soon as the old one has acknowledged what it sent there. A later call changes
   * where it goes.
   */
  moveTo(to: StreamHost): void {
    if (this.#move) this.#move.to = to;
    if (this.#dead || this.#move || to === this.#host) return;
    this.#move = { to, mark: this.#host.head, waits: this.#host.leaveTurn(this) };
    this.#host.startMove(this);
  }

  /** The lane acknowledged up to `acked`; returns whether the move is over. */
  passed(acked: number): boolean {
    if (this.#move === undefined) return true;
    if (acked < this.#move.mark) return false;
    this.relocate(this.#move.to);
    return true;
  }

  /** Sends on another lane at once: what it sent on the old one has arrived, or goes before on the new one. */
  relocate(to: StreamHost): void {
    if (this.#dead) return;
    const waits = this.#host.leaveTurn(this) || this.#move?.waits === true;
    this.#move = undefined;
    this.#host.streams--;
    to.streams++;
    this.#host = to;
    if (!waits || this.#finSent) return;
    if (this.#credit >= readBytes) to.waitForTurn(this);
    else this.#creditBlocked = true;
  }

  // Called by the session. State changes first, then the event for the owner, which may call back in.

  onData(bytes: Uint8Array): void {
    if (this.#finReceived) throw new ProtocolFault(wireCode.protocolError, `DATA after FIN on stream ${this.id}`);
    if (!this.#window.receive(bytes.length))
      throw new ProtocolFault(wireCode.flowControl, `DATA beyond its credit on stream ${this.id}`);
    this.events.data(bytes);
  }

  onOpened(payload: Uint8Array): void {
    this.#answer('OPEN_OK');
    this.events.opened(payload);
  }

  onRefused(refusal: WireRefusal): void {
    this.#answer('OPEN_ERR');
    this.#die();
    this.events.refused(refusal);
  }

  onWindow(credit: number): void {
    this.#credit += credit;
    if (this.#credit > Number.MAX_SAFE_INTEGER / 2)
      throw new ProtocolFault(wireCode.flowControl, `more credit than there are bytes on stream ${this.id}`);
    if (this.#creditBlocked && this.#credit >= readBytes) {
      this.#creditBlocked = false;
      if (this.#move) this.#move.waits = true;
      else this.#host.waitForTurn(this);
    }
  }

  onFin(): void {
    if (this.#finReceived) throw new ProtocolFault(wireCode.protocolError, `a second FIN on stream ${this.id}`);
    this.#finReceived = true;
    this.#settle();
    this.events.end();
  }

  onReset(refusal: WireRefusal): void {
    this.#die();
    this.events.reset(refusal);
  }

  #answer(what: string): void {
    if (this.#answered) throw new ProtocolFault(wireCode.protocolError, `an unexpected ${what} on stream ${this.id}`);
    this.#settleOpen();
  }

  #settleOpen(): void {
    if (this.#answered) return;
    this.#answered = true;
    this.#opener.unanswered--;
  }

  /** Appends a frame that keeps its order among those of this stream. */
  #append(type: number, payload: Uint8Array): void {
    this.#host.append(type, this.id, payload);
    if (this.#move) this.#move.mark = this.#host.head;
  }

  #spent(bytes: number): boolean {
    this.bytesSent += bytes;
    this.#credit -= bytes;
    if (this.#move) this.#move.mark = this.#host.head;
    const now = this.#host.nowMs;
    if (now - this.#epochAtMs > lightWindowMs) {
      if (this.#epochBytes >= lightBytes) this.#host.sentMuch(this, this.#epochBytes);
      this.#epochAtMs = now;
      this.#epochBytes = 0;
    }
    this.#epochBytes += bytes; // after the epoch: a bulk stream that gets few turns does not count as light
    return this.canSend();
  }

  /**
   * Whether it has sent little lately. Such a stream may exceed the cap, so that bulk on the carrier does not delay it.
   */
  #isLight(): boolean {
    return this.#epochBytes < lightBytes || this.#host.nowMs - this.#epochAtMs > lightWindowMs;
  }

  #settle(): void {
    if (this.#finSent && this.#finReceived) this.#die();
  }

  #die(): void {
    this.#dead = true;
    this.#move = undefined;
    this.#host.streams--;
    this.#settleOpen();
    this.#host.growthBytes += this.#window.grown;
    this.#host.forget(this);
  }
}
