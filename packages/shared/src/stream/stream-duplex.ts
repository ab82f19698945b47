/**
 * A stream as an ordinary duplex, for callers that talk to the service themselves instead of splicing.
 * Rule: as for the relay: it ends exactly once, and a cut is never reported as an end. Credit is given for what was
 * read from the duplex, and what waits in it costs memory in proportion to its bytes. A write waits for the stream's
 * turn. Destroyed before both halves ended, it resets the stream.
 */
import { Duplex } from 'node:stream';
import { AditError, codeOfWire, isCode, wireOfCode, type Code } from '../errors.ts';
import { GatheredPushes } from '../net/gathered-pushes.ts';
import { keepable, smallBytes } from '../net/gatherer.ts';
import { readBytes } from '../protocol/mux/stream.ts';
import type { RelayStream } from './contract.ts';
import type { RelayEvents, RelayOutcome } from './relay.ts';

type End = Pick<RelayOutcome, 'end' | 'code' | 'reason'>;

export class StreamDuplex extends Duplex {
  readonly #stream: RelayStream;
  readonly #events: RelayEvents;
  readonly #pushes = new GatheredPushes(this, (bytes) => this.push(bytes));
  #taken: (() => void) | undefined;
  #ourEnd = false;
  #theirEnd = false;
  #over = false;

  constructor(stream: RelayStream, events: RelayEvents) {
    super({ allowHalfOpen: true });
    this.#stream = stream;
    this.#events = events;
    this.on('error', ignore);
    stream.events = {
      opened: (payload) => events.opened?.(payload),
      refused: ({ code, reason }) => this.#cut({ end: 'refused', code, reason }),
      reset: ({ code, reason }) => this.#cut({ end: 'reset', code, reason }),
      data: (bytes) => {
        this.#pushes.push(asBuffer(bytes));
        this.#credit();
      },
      end: () => this.#ended(),
      writable: () => this.#goOn(),
    };
  }

  /** Resets both sides for a reason of ours. */
  abort(code: Code, reason: string): void {
    if (this.#over) return;
    this.#stream.reset({ code: wireOfCode(code), reason });
    this.#cut({ end: 'reset', code, reason });
  }

  override _read(): void {
    /* data is pushed as it arrives */
  }

  /**
   * Gives credit. Not in `_read`, which is called before the chunk is consumed, and then not until there is another
   * one, while the far end may wait for the credit.
   */
  override read(size?: number): unknown {
    const chunk: unknown = super.read(size);
    this.#pushes.taken();
    this.#credit();
    return chunk;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, taken: () => void): void {
    this.#send(chunk, taken);
  }

  override _final(done: () => void): void {
    this.#ourEnd = true;
    this.#stream.finish();
    done();
    this.#settle();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.#over) {
      this.#stream.reset({ code: wireOfCode('PEER_GONE'), reason: 'the local side closed' });
      this.#tell({ end: 'reset', code: 'PEER_GONE', reason: 'the local side closed' });
    }
    done(error);
  }

  /**
   * A chunk may be larger than the credit. After each piece the stream says whether it accepts more.
   */
  #send(chunk: Buffer, taken: () => void): void {
    for (let at = 0; ;) {
      const more = this.#stream.sendView(chunk.subarray(at, (at += readBytes)));
      if (!more) this.#taken = at < chunk.length ? () => this.#send(chunk.subarray(at), taken) : taken;
      else if (at >= chunk.length) taken();
      else continue;
      return;
    }
  }

  #credit(): void {
    this.#stream.accepted(this.#stream.bytesReceived - this.readableLength - this.#pushes.waiting);
  }

  #goOn(): void {
    const taken = this.#taken;
    this.#taken = undefined;
    taken?.();
  }

  #ended(): void {
    this.#theirEnd = true;
    this.#pushes.flush();
    this.push(null);
    this.#settle();
  }

  #settle(): void {
    if (this.#ourEnd && this.#theirEnd) this.#tell({ end: 'finished', code: 'NO_ERROR', reason: '' });
  }

  #cut(end: End): void {
    if (this.#over) return;
    this.#tell(end);
    this.destroy(new AditError(isCode(end.code) ? end.code : codeOfWire(end.code), end.reason));
  }

  #tell(end: End): void {
    if (this.#over) return;
    this.#over = true;
    this.#events.ended({ ...end, bytesSent: this.#stream.bytesSent, bytesReceived: this.#stream.bytesReceived });
  }
}

/** As a buffer that may be kept: a small view, and one of a much larger chunk, would pin the chunk. */
function asBuffer(bytes: Uint8Array): Buffer {
  if (bytes.length < smallBytes) return Buffer.from(bytes);
  const kept = keepable(bytes);
  return Buffer.from(kept.buffer, kept.byteOffset, kept.length);
}

function ignore(): void {
  /* `ended` has reported it */
}
