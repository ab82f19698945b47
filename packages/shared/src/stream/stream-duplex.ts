/**
 * A stream as an ordinary duplex, for who speaks with the service itself instead of splicing.
 * Rule: as for the relay: it ends exactly once, and what was cut is never told as an end. Credit is given for what was
 * read from here; what is written waits for the stream's turn. Destroyed before both halves ended, it resets the
 * stream.
 */
import { Duplex } from 'node:stream';
import { AditError, codeOfWire, isCode, wireOfCode, type Code } from '../errors.ts';
import { readBytes } from '../protocol/mux/stream.ts';
import type { RelayStream } from './contract.ts';
import type { RelayEvents, RelayOutcome } from './relay.ts';

const smallBytes = 4_096;

type End = Pick<RelayOutcome, 'end' | 'code' | 'reason'>;

export class StreamDuplex extends Duplex {
  readonly #stream: RelayStream;
  readonly #events: RelayEvents;
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
      // A small view would pin a whole chunk.
      data: (bytes) => {
        this.push(
          bytes.length < smallBytes ? Buffer.from(bytes) : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length),
        );
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
    /* it comes as it comes */
  }

  /**
   * Credit is given here and not in `_read`, which is called before the chunk is taken, and no more until there is
   * another one: the far end may wait for it.
   */
  override read(size?: number): unknown {
    const chunk: unknown = super.read(size);
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
   * A chunk may be larger than the credit: after each read's worth it is the stream's turn to say whether there is
   * more.
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
    this.#stream.accepted(this.#stream.bytesReceived - this.readableLength);
  }

  #goOn(): void {
    const taken = this.#taken;
    this.#taken = undefined;
    taken?.();
  }

  #ended(): void {
    this.#theirEnd = true;
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

function ignore(): void {
  /* arrives with `ended` */
}
