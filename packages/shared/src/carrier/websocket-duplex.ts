/**
 * An open WebSocket as a duplex of bytes: binary messages back to back, whose boundaries mean nothing.
 * Rule: text, a message beyond the limit, or a flood of pings (ws bounds the answers that wait) ends it. Bytes before
 * an orderly close are delivered first. There is no half-close, because streams of a session have their own, in frames;
 * ending our side closes the WebSocket.
 * Spec: RFC 6455; docs/protocol.md section 3.9.
 */
import { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { AditError } from '../errors.ts';

/** The largest message that is accepted, and so the most that a stranger can make us hold; bytes. */
export const maxMessageBytes = 1 << 18;
/**
 * The limits of a message that is accepted, for ws: its fragments, and the reads that it arrives in, are objects each
 * of which may pin more than its bytes.
 */
export const messageLimits = { maxPayload: maxMessageBytes, maxFragments: 128, maxBufferedChunks: 4_096 } as const;
/** The largest message that is sent; bytes. Larger writes are split. The frame of a full read fits. */
const messageBytes = 1 << 17;
/** Writes below this are joined: copying them costs less than a message each. */
const joinBelowBytes = 1 << 14;
const closeCode = { normal: 1000, away: 1001, none: 1005, text: 1003 } as const;

type Done = (error?: Error | null) => void;

/** `socket` must be open. This owns it from now on. */
export class WebSocketDuplex extends Duplex {
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    this.on('error', () => {
      /* `close` follows, and the owner handles that */
    });
    socket.on('message', (data: Buffer, binary: boolean) => this.#message(data, binary));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', (code) => this.#closed(code));
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    this._writev([{ chunk }], done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: Done): void {
    const messages = messagesOf(chunks.map(({ chunk }) => chunk));
    if (messages.length === 0) done();
    else
      for (const [at, message] of messages.entries())
        this.#socket.send(message, { binary: true }, at === messages.length - 1 ? done : undefined);
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

/** The messages of a batch: large writes without a copy, adjacent small ones joined. */
function messagesOf(chunks: readonly Buffer[]): Buffer[] {
  const messages: Buffer[] = [];
  let small: Buffer[] = [];
  let smallBytes = 0;
  const join = (): void => {
    if (smallBytes > 0) messages.push(small.length === 1 ? small[0]! : Buffer.concat(small, smallBytes));
    small = [];
    smallBytes = 0;
  };
  for (const chunk of chunks) {
    if (chunk.length >= joinBelowBytes || smallBytes + chunk.length > messageBytes) join();
    if (chunk.length < joinBelowBytes) {
      small.push(chunk);
      smallBytes += chunk.length;
    } else for (let at = 0; at < chunk.length; at += messageBytes) messages.push(chunk.subarray(at, at + messageBytes));
  }
  join();
  return messages;
}

function broken(why: string): AditError {
  return new AditError('LINK_LOST', `the WebSocket broke: ${why}`);
}
