/**
 * An open WebSocket as a duplex of bytes: binary messages, end to end, whose boundaries mean nothing.
 * Rule: text, a message beyond the limit, or a flood of pings (ws bounds the answers that wait) ends it; what came before an orderly close is delivered first.
 * There is no half-close: streams of a session have their own, in frames; ending our side closes the WebSocket.
 * Spec: RFC 6455; docs/protocol.md section 3.9.
 */
import { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { AditError } from '../errors.ts';

/** The largest message that is accepted, bytes: what a stranger can make us hold. */
export const maxMessageBytes = 1 << 18;
/** The largest message that is sent, bytes: small writes are joined up to it, and large ones split. */
const messageBytes = 65_536;
const closeCode = { normal: 1000, away: 1001, none: 1005, text: 1003 } as const;

type Done = (error?: Error | null) => void;

/** `socket` must be open, and is owned from here on. */
export class WebSocketDuplex extends Duplex {
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    this.on('error', () => { /* told by close */ });
    socket.on('message', (data: Buffer, binary: boolean) => this.#message(data, binary));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', (code) => this.#closed(code));
  }

  override _read(): void { this.#socket.resume(); }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void { this._writev([{ chunk }], done); }

  override _writev(chunks: { chunk: Buffer }[], done: Done): void {
    let batch: Buffer[] = [];
    let bytes = 0;
    const send = (sent?: Done): void => {
      if (batch.length > 0) this.#socket.send(batch.length === 1 ? batch[0]! : Buffer.concat(batch, bytes), { binary: true }, sent);
      else sent?.();
      batch = [];
      bytes = 0;
    };
    for (const { chunk } of chunks) {
      for (let at = 0; at < chunk.length; at += messageBytes) {
        const part = chunk.subarray(at, at + messageBytes);
        if (bytes + part.length > messageBytes) send();
        batch.push(part);
        bytes += part.length;
      }
    }
    send(done);
  }

  override _final(done: Done): void {
    this.#socket.close(closeCode.normal);
    done();
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#socket.terminate();
    done(error);
  }

  #message(data: Buffer, binary: boolean): void {
    if (!binary) {
      this.#socket.close(closeCode.text, 'binary messages only');
      this.destroy(broken('it sent text'));
    } else if (data.length > 0 && !this.push(data)) this.#socket.pause();
  }

  #closed(code: number): void {
    if (code !== closeCode.normal && code !== closeCode.away && code !== closeCode.none) {
      this.destroy(broken(`it closed with code ${code}`));
      return;
    }
    this.once('end', () => this.destroy());
    this.push(null);
  }
}

function broken(why: string): AditError { return new AditError('LINK_LOST', `the WebSocket broke: ${why}`); }
