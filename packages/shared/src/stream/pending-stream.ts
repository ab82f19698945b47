/**
 * A stream whose connection is not there yet: the far side of a CONNECT that has not been answered.
 * Rule: to its owner it is a stream like any other: opened or refused, once, and then the stream that it became.
 * Nothing is read from the source before that; bytes that were read already are held and sent first.
 */
import { AditError, codeOfWire, wireOfCode, type Code } from '../errors.ts';
import type { Lease } from '../protocol/mux/replay.ts';
import type { StreamEvents } from '../protocol/mux/stream.ts';
import type { WireRefusal } from '../protocol/refusal.ts';
import type { RelayStream } from './contract.ts';
import { HeldBytes } from './held-bytes.ts';

const nothing = new Uint8Array(0);

export class PendingStream implements RelayStream {
  readonly id: number;
  events!: StreamEvents;
  readonly #giveUp: AbortController;
  #stream: RelayStream | undefined;
  readonly #held = new HeldBytes();
  #finished = false;
  #over = false;

  /**
   * `coming` settles asynchronously. Its rejection is an AditError, whose code the owner gets. `giveUp` is aborted when
   * nobody waits any more.
   */
  constructor(id: number, coming: Promise<RelayStream>, giveUp: AbortController) {
    this.id = id;
    this.#giveUp = giveUp;
    coming.then(
      (stream) => this.#came(stream),
      (error: unknown) => this.#refused(error),
    );
  }

  get dead(): boolean {
    return this.#over || this.#stream?.dead === true;
  }
  get bytesSent(): number {
    return this.#stream?.bytesSent ?? 0;
  }
  get bytesReceived(): number {
    return this.#stream?.bytesReceived ?? 0;
  }

  canSend(): boolean {
    return this.#stream?.canSend() ?? false;
  }

  sendBuffer(buffer: Uint8Array, length: number, lease: Lease): boolean {
    if (this.#stream) return this.#stream.sendBuffer(buffer, length, lease);
    return this.#held.buffer(buffer, length, lease);
  }

  sendCopy(bytes: Uint8Array): boolean {
    return this.#stream ? this.#stream.sendCopy(bytes) : this.#held.copy(bytes);
  }

  sendView(bytes: Uint8Array): boolean {
    return this.#stream ? this.#stream.sendView(bytes) : this.#held.view(bytes);
  }

  finish(): void {
    this.#finished = true;
    this.#stream?.finish();
  }

  reset(refusal: WireRefusal): void {
    if (this.#over) return;
    this.#over = true;
    this.#held.drop();
    this.#giveUp.abort();
    this.#stream?.reset(refusal);
  }

  accepted(total: number): void {
    this.#stream?.accepted(total);
  }

  #came(stream: RelayStream): void {
    stream.events = this.events;
    if (this.#over) {
      stream.reset({ code: wireOfCode('PEER_GONE'), reason: 'nobody waits for the stream any more' });
      return;
    }
    this.#stream = stream;
    this.events.opened(nothing);
    stream.events = this.events; // it may have got another owner
    this.#held.sendTo(stream);
    if (this.#finished) stream.finish();
    else if (stream.canSend()) this.events.writable();
  }

  #refused(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#held.drop();
    const known = error instanceof AditError;
    this.events.refused({
      code: known ? wireOf(error.code) : wireOfCode('INTERNAL'),
      reason: known ? error.message : 'an internal error',
    });
    if (!known) throw error; // a bug must be seen
  }
}

/** A code that never crosses the wire is reported as the loss of the connection to the egress. */
function wireOf(code: Code): number {
  const wire = wireOfCode(code);
  return codeOfWire(wire) === code ? wire : wireOfCode('LINK_LOST');
}
