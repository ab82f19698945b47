/**
 * One stream over a control socket as an ordinary duplex: frames on the socket, bytes here. Each half ends on its own.
 * Rule: a socket that closes without announcing it is an error, not an end. If the duplex is destroyed before both
 * halves have ended, the other side is sent the code and the reason. When both halves have ended, it closes the
 * socket.
 */
import { Duplex } from 'node:stream';
import { AditError, isCode } from '@adit/shared/errors';
import { farewell } from '@adit/shared/net/farewell';
import { controlData, controlEnd, type ControlEvent, ControlReader, controlReset } from '@adit/shared/protocol/control';

export class ControlDuplex extends Duplex {
  readonly #socket: Duplex;
  readonly #reader = new ControlReader();
  /** Names the other end in errors. */
  readonly #peer: string;
  #ourEnd = false;
  #theirEnd = false;

  /** Takes over a paused socket whose request was accepted. */
  constructor(socket: Duplex, peer: string) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    this.#peer = peer;
    this.on('error', ignore);
    socket
      .on('data', (chunk: Buffer) => this.#receive(chunk))
      .on('end', () => this.#gone())
      .on('close', () => this.#gone())
      .on('error', ignore)
      .pause();
    if (socket.destroyed) this.#gone();
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, taken: (error?: Error | null) => void): void {
    const parts = controlData(chunk);
    this.#socket.cork();
    const last = parts.pop();
    for (const part of parts) this.#socket.write(part);
    if (last) this.#socket.write(last, (error) => taken(error && this.#lost(error)));
    else taken();
    this.#socket.uncork();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#ourEnd = true;
    this.#socket.write(controlEnd, (error) => done(error && this.#lost(error)));
    this.#settle();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    done(error);
    if (this.#ourEnd && this.#theirEnd) return;
    const { code, message } = error instanceof AditError ? error : new AditError('PEER_GONE', 'the local side closed');
    void farewell(this.#socket, controlReset(code, message));
  }

  #receive(chunk: Uint8Array): void {
    let more = true;
    for (const event of this.#reader.receive(chunk)) more = this.#said(event) && more;
    if (this.#reader.fault !== undefined)
      this.destroy(new AditError('PROTOCOL_ERROR', `${this.#peer} sent ${this.#reader.fault}`));
    else if (!more) this.#socket.pause();
  }

  /** Returns whether more may be read. */
  #said(event: ControlEvent): boolean {
    if (event.type === 'data')
      return this.push(Buffer.from(event.bytes.buffer, event.bytes.byteOffset, event.bytes.length));
    if (event.type === 'reset') {
      this.#theirEnd = this.#ourEnd = true; // nobody is left to be told
      this.#socket.destroy();
      this.destroy(new AditError(isCode(event.code) ? event.code : 'INTERNAL', event.reason));
      return false;
    }
    this.#theirEnd = true;
    this.push(null);
    this.#settle();
    return true;
  }

  #settle(): void {
    if (this.#ourEnd && this.#theirEnd) this.#socket.end();
  }

  #gone(): void {
    if (this.destroyed || (this.#ourEnd && this.#theirEnd)) return;
    this.destroy(this.#lost());
  }

  /** A failed write may be the first sign that the other end is gone; its EPIPE alone looks like one of our output. */
  #lost(cause?: Error): AditError {
    return new AditError('INGRESS_GONE', `${this.#peer} is gone, in the middle of the connection`, cause && { cause });
  }
}

function ignore(): void {
  /* `close` follows, and so does the callback of the write */
}
