/**
 * A socket as an ordinary duplex that is lent for a handshake: with the local client before the relay splices, or of a
 * WebSocket.
 * Rule: one user at a time. `giveBack` leaves the socket paused and keeps every byte that was read and not used; the
 * next user reads those first. Destroyed with an error it resets the socket, without one it closes it.
 */
import net from 'node:net';
import { Duplex } from 'node:stream';
import { concat } from '../protocol/bytes.ts';
import { headerBytes } from '../protocol/mux/frame.ts';
import type { Lease } from '../protocol/mux/replay.ts';
import type { PooledReads } from './read-buffers.ts';
import { resetSocket } from './sockets.ts';

/** What is lent: a socket, or a duplex over one. */
interface Lent {
  readonly socket: Duplex;
  readonly reads?: PooledReads | undefined;
}

export class BorrowedDuplex extends Duplex {
  readonly #local: Lent;
  #borrowed = true;
  readonly #took = (chunk: Buffer): void => {
    if (!this.#take(chunk)) this.#local.socket.pause();
  };
  readonly #ended = (): void => {
    this.push(null);
  };
  readonly #closed = (): void => {
    this.destroy(this.#local.socket.errored ?? undefined);
  };

  constructor(local: Lent) {
    super({ allowHalfOpen: true });
    this.#local = local;
    const { socket, reads } = local;
    this.on('error', ignore);
    socket.on('end', this.#ended).on('close', this.#closed);
    if (reads)
      reads.attach({
        sendCopy: (bytes) => this.#read(bytes),
        sendBuffer: (buffer, length, lease) => this.#readBuffer(buffer, length, lease),
      });
    else socket.on('data', this.#took).pause();
    if (socket.destroyed) this.#closed();
  }

  /** Ends the loan. The duplex cannot be used afterwards; the socket lives on, paused. */
  giveBack(): void {
    if (!this.#borrowed) return;
    const { socket, reads } = this.#local;
    this.#borrowed = false;
    socket.off('end', this.#ended).off('close', this.#closed).off('data', this.#took).pause();
    const unread = this.#unread();
    if (reads) reads.detach(unread);
    else if (unread.length > 0) socket.unshift(unread);
    this.destroy();
  }

  override _read(): void {
    if (this.#borrowed) this.#local.socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, taken: () => void): void {
    const { socket } = this.#local;
    // Passed on at once: bytes that still waited here when the socket is given back would be lost.
    if (socket.write(chunk)) taken();
    else socket.once('drain', taken);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#local.socket.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (this.#borrowed) {
      const { socket } = this.#local;
      if (error && socket instanceof net.Socket) resetSocket(socket);
      else socket.destroy();
    }
    done(error);
  }

  /** Returns whether to read on. After a pause of the user everything stays in the kernel, an end too. */
  #take(chunk: Buffer): boolean {
    return this.push(chunk) && !this.isPaused();
  }

  #read(bytes: Uint8Array): boolean {
    return this.#take(Buffer.from(bytes)) && this.#borrowed;
  }

  #readBuffer(buffer: Uint8Array, length: number, lease: Lease): boolean {
    const more = this.#read(buffer.subarray(headerBytes, headerBytes + length));
    lease.release();
    return more;
  }

  #unread(): Uint8Array {
    this.removeAllListeners('data').pause();
    const parts: Uint8Array[] = [];
    for (let part = this.read() as Buffer | null; part !== null; part = this.read() as Buffer | null) parts.push(part);
    return concat(parts);
  }
}

function ignore(): void {
  /* `close` follows, and the user handles that */
}
