/**
 * Pooled read buffers: a read lands behind `headerBytes` of free room, so that the buffer itself becomes a DATA frame and
 * a replay segment.
 * Rule: a buffer is in the pool or has one owner; the owner gives it back by `release`, once. An idle socket pins no
 * buffer of its own: all start on one shared buffer (reads land there only within one callback) and get private ones
 * while reads are large.
 */
import { concat } from '../protocol/bytes.ts';
import { headerBytes } from '../protocol/mux/frame.ts';
import type { Lease } from '../protocol/mux/replay.ts';

export const readBufferBytes = 65_536;
const smallReadBytes = 4_096;
const maxPooled = 256;
/** What is put back goes on in pieces of this size, each a frame. */
const keptBytes = 16_384;
/** What is read before there is an owner stops here, bytes, or with the read that passes it. */
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
    if (pool.length < maxPooled) pool.push(this);
  }
}

const pool: ReadBuffer[] = [];
const shared = new ReadBuffer();
/** Overlapped reads on Windows fill the buffer between callbacks: nothing may be shared there. */
const mayShare = process.platform !== 'win32';

function take(): ReadBuffer {
  return pool.pop() ?? new ReadBuffer();
}

/** Where reads go: the stream of a session, in practice. Each returns whether the socket may go on reading. */
export interface ReadSink {
  sendBuffer(buffer: Uint8Array, length: number, lease: Lease): boolean;
  sendCopy(bytes: Uint8Array): boolean;
}

/** The `onread` option of one socket, feeding a sink that is named later. */
export class PooledReads {
  readonly onread = {
    buffer: (): Buffer => this.#buffer.body,
    callback: (length: number): boolean => this.#read(length),
  };
  #buffer: ReadBuffer = mayShare ? shared : take();
  #sink: ReadSink | undefined;
  #early: Buffer[] = [];
  #earlyBytes = 0;

  /** Names the owner of what is read; bytes that came before there was one are handed over first. */
  attach(sink: ReadSink): void {
    this.#sink = sink;
    this.#earlyBytes = 0;
    for (const bytes of this.#early.splice(0)) sink.sendCopy(bytes);
  }

  /** Takes the owner away; what it read and did not use comes first for the next one. */
  detach(unread: Uint8Array): void {
    this.#sink = undefined;
    for (let at = 0; at < unread.length; at += keptBytes)
      this.#early.push(Buffer.from(unread.subarray(at, at + keptBytes)));
  }

  /** What was read and nobody has had, for whoever reads the socket by other means from now on. */
  takeOver(): Uint8Array {
    const unread = concat(this.#early);
    this.close();
    return unread;
  }

  /** The socket is closed: its private buffer goes back. */
  close(): void {
    if (this.#buffer !== shared) this.#buffer.release();
    this.#buffer = shared;
    this.#sink = undefined;
    this.#early = [];
  }

  #read(length: number): boolean {
    const sink = this.#sink;
    const buffer = this.#buffer;
    if (sink === undefined) {
      this.#early.push(Buffer.from(buffer.body.subarray(0, length)));
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
