/**
 * What a source has read for a stream that cannot take it yet.
 * Rule: each call returns false, so that the source stops: one or a few reads are held, not more. Read buffers are
 * copied and given back at once (`slice` of a Buffer would be a view of what is read next).
 */
import { headerBytes } from '../protocol/mux/frame.ts';
import type { Lease } from '../protocol/mux/replay.ts';
import type { RelayStream } from './contract.ts';

export class HeldBytes {
  #held: Uint8Array[] = [];
  #dropped = false;

  get size(): number {
    return this.#held.length;
  }

  /** As `sendBuffer` of a stream. */
  buffer(buffer: Uint8Array, length: number, lease: Lease): false {
    this.copy(buffer.subarray(headerBytes, headerBytes + length));
    lease.release();
    return false;
  }

  copy(bytes: Uint8Array): false {
    return this.view(Uint8Array.from(bytes));
  }

  view(bytes: Uint8Array): false {
    if (!this.#dropped) this.#held.push(bytes);
    return false;
  }

  /** Sends everything, in order. */
  sendTo(stream: RelayStream): void {
    for (const bytes of this.#held.splice(0)) stream.sendView(bytes);
  }

  /** The stream is over: nothing is held any more. */
  drop(): void {
    this.#dropped = true;
    this.#held = [];
  }
}
