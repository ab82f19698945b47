/**
 * Pooled read buffers: a read lands behind `headerBytes` of free room, so that the buffer itself becomes a DATA frame
 * and a replay segment.
 * Rule: a buffer is in the pool or has one owner, who returns it by `release`, once. An idle socket holds no buffer of
 * its own: all sockets start on one shared buffer (reads stay there only within one callback), and get a private one
 * while their reads are large.
 */
import { concat } from '../protocol/bytes.ts';
import { headerBytes } from '../protocol/mux/frame.ts';
import type { Lease } from '../protocol/mux/replay.ts';
import { FreeList } from './free-list.ts';
import { Gatherer } from './gatherer.ts';
import { poison } from './slab.ts';

export const readBufferBytes = 65_536;
const smallReadBytes = 4_096;
const maxPooled = 256;
/** Bytes that are put back are passed on in pieces of this size, each a frame. */
const keptBytes = 16_384;
/** Reading without an owner stops once this many bytes are held. */
const maxEarlyBytes = 65_536;

/** One read buffer: `bytes` with room for the frame header, `body` behind it. */
export class ReadBuffer implements Lease {
  readonly bytes: Buffer;
  readonly body: Buffer;
  constructor() {
    this.bytes = Buffer.allocUnsafeSlow(readBufferBytes);
    this.body = this.bytes.subarray(headerBytes);
  }
  release(): void {
    poison(this.bytes);
    free.put(this);
  }
}

const free = new FreeList<ReadBuffer>({ most: maxPooled });
const shared = new ReadBuffer();
/** Overlapped reads on Windows fill the buffer between callbacks, so that it cannot be shared there. */
const mayShare = process.platform !== 'win32';

function take(): ReadBuffer {
  return free.take() ?? new ReadBuffer();
}

/** Where reads go, usually the stream of a session. Each call returns whether the socket may read on. */
export interface ReadSink {
  sendBuffer(buffer: Uint8Array, length: number, lease: Lease): boolean;
  sendCopy(bytes: Uint8Array): boolean;
}

/** The `onread` option of one socket, for a sink that is attached later. */
export class PooledReads {
  readonly onread = {
    buffer: (): Buffer => this.#buffer.body,
    callback: (length: number): boolean => this.#read(length),
  };
  #buffer: ReadBuffer = mayShare ? shared : take();
  #sink: ReadSink | undefined;
  #early: Uint8Array[] = [];
  readonly #pieces = new Gatherer((bytes) => this.#early.push(bytes));
  #earlyBytes = 0;

  /** Attaches the owner of what is read. It gets the bytes first that arrived before. */
  attach(sink: ReadSink): void {
    this.#sink = sink;
    this.#earlyBytes = 0;
    this.#pieces.flush();
    this.#pieces.drop();
    for (const bytes of this.#early.splice(0)) sink.sendCopy(bytes);
  }

  /** Detaches the owner. The next one first gets what this one read and did not use. */
  detach(unread: Uint8Array): void {
    this.#sink = undefined;
    for (let at = 0; at < unread.length; at += keptBytes)
      this.#early.push(Buffer.from(unread.subarray(at, at + keptBytes)));
  }

  /**
   * Returns the bytes that were read without an owner, to a caller that reads the socket by other means from now on.
   */
  takeOver(): Uint8Array {
    this.#pieces.flush();
    const unread = concat(this.#early);
    this.close();
    return unread;
  }

  /** The socket is closed: its private buffer returns to the pool. */
  close(): void {
    if (this.#buffer !== shared) this.#buffer.release();
    this.#buffer = shared;
    this.#sink = undefined;
    this.#early = [];
    this.#pieces.drop();
  }

  #read(length: number): boolean {
    const sink = this.#sink;
    const buffer = this.#buffer;
    if (sink === undefined) {
      const read = buffer.body.subarray(0, length);
      // the next read overwrites it, and the gatherer may keep a large piece as it is
      this.#pieces.add(length < smallReadBytes ? read : Buffer.from(read));
      this.#earlyBytes += length;
      return this.#earlyBytes < maxEarlyBytes;
    }
    if (length < smallReadBytes) {
      if (buffer !== shared && mayShare) {
        this.#buffer = shared;
        const more = sink.sendCopy(buffer.body.subarray(0, length));
        buffer.release();
        return more;
      }
      return sink.sendCopy(buffer.body.subarray(0, length));
    }
    this.#buffer = take();
    if (buffer !== shared) return sink.sendBuffer(buffer.bytes, length, buffer);
    const first = take();
    buffer.body.copy(first.body, 0, 0, length);
    return sink.sendBuffer(first.bytes, length, first);
  }
}
