/**
 * An open WebSocket as a duplex of bytes: binary messages back to back, whose boundaries mean nothing.
 * Rule: text, a message beyond the limits, or pings whose answers are not read end it. Bytes before an orderly close
 * are delivered first. There is no half-close, because streams of a session have their own, in frames; ending our side
 * closes the WebSocket. This owns the socket. What a carrier reads goes past the buffer of the duplex (`readPieces`),
 * into slabs where the socket is TLS.
 * Spec: RFC 6455; docs/protocol.md section 3.9.
 */
import { Duplex } from 'node:stream';
import { AditError } from '../errors.ts';
import { type PassesPieces, readCarrier } from '../net/carrier-reads.ts';
import { GatheredPushes } from '../net/gathered-pushes.ts';
import {
  closeCode,
  encodeClose,
  encodePong,
  messageHeader,
  WebSocketDecoder,
  type WebSocketEnd,
  WebSocketFault,
} from '../protocol/websocket.ts';

/** The largest message that is sent; bytes. Larger writes are split. The frame of a full read fits. */
const messageBytes = 1 << 17;
/** Writes below this are joined: copying them costs less than a message each. */
const joinBelowBytes = 1 << 14;
/** Answers to pings that may wait to be written. */
const maxPongs = 1_024;
/** How long a peer may take to read what was said last, and to close after we did. */
const lingerMs = 1_000;
const closeTimeoutMs = 30_000;

type Done = (error?: Error | null) => void;

export class WebSocketDuplex extends Duplex implements PassesPieces {
  readonly #socket: Duplex;
  readonly #end: WebSocketEnd;
  readonly #decoder: WebSocketDecoder;
  /** What waits here costs memory in proportion to its bytes, however small the messages are. */
  readonly #pushes = new GatheredPushes(this, (bytes) => this.push(bytes));
  readonly #onChunk = (chunk: Buffer): void => this.#receive(chunk);
  /** Takes what is read, instead of the buffer of this duplex. */
  #pass: ((bytes: Uint8Array) => void) | undefined;
  #pongs = 0;
  #closeSent = false;
  #peerClosed = false;
  #timer: NodeJS.Timeout | undefined;

  /** `end`: which one we are. The socket is upgraded, and nothing of it was read but what was put back. */
  constructor(socket: Duplex, end: WebSocketEnd) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    this.#end = end;
    this.#decoder = new WebSocketDecoder(
      {
        data: (bytes) => this.#data(bytes),
        ping: (payload) => this.#ping(payload),
        close: (code) => this.#closed(code),
      },
      end,
    );
    this.on('error', ignore);
    socket.on('error', ignore);
    socket.on('data', this.#onChunk).pause();
    socket.on('end', () => this.#gone());
    socket.on('close', () => this.#gone());
    if (socket.destroyed) setImmediate(() => this.#gone());
  }

  readPieces(pass: (bytes: Uint8Array) => void): Uint8Array {
    const before: Buffer[] = [];
    for (let part = this.read() as Buffer | null; part !== null; part = this.read() as Buffer | null) before.push(part);
    this.#socket.off('data', this.#onChunk).pause();
    this.#pass = (bytes) => void before.push(Buffer.from(bytes));
    const raw = readCarrier(this.#socket, this.#onChunk as (bytes: Uint8Array) => void);
    this.#receive(raw);
    this.#pass = pass;
    return Buffer.concat(before);
  }

  override pause(): this {
    if (this.#pass) this.#socket.pause();
    return super.pause();
  }

  override resume(): this {
    if (this.#pass) this.#socket.resume();
    return super.resume();
  }

  override read(size?: number): unknown {
    const chunk: unknown = super.read(size);
    this.#pushes.taken();
    return chunk;
  }

  override _read(): void {
    if (!this.#pass) this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    this._writev([{ chunk }], done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: Done): void {
    const messages = messagesOf(chunks.map(({ chunk }) => chunk));
    if (messages.length === 0) return done();
    const socket = this.#socket;
    socket.cork();
    for (const [at, message] of messages.entries()) {
      socket.write(messageHeader(message.length, this.#end));
      if (at < messages.length - 1) socket.write(message);
      else socket.write(message, done);
    }
    socket.uncork();
  }

  override _final(done: Done): void {
    this.#close(closeCode.normal);
    this.#timer ??= setTimeout(() => this.destroy(), closeTimeoutMs).unref();
    this.#socket.resume(); // for the answer, also if nobody reads here
    done();
  }

  override _destroy(error: Error | null, done: Done): void {
    clearTimeout(this.#timer);
    this.#decoder.stop();
    if (this.#closeSent) lastWords(this.#socket);
    else this.#socket.destroy();
    done(error);
  }

  #receive(chunk: Uint8Array): void {
    try {
      this.#decoder.receive(chunk);
    } catch (error) {
      if (!(error instanceof WebSocketFault)) throw error;
      this.#close(error.code);
      this.destroy(broken(error.message));
    }
  }

  #data(bytes: Uint8Array): void {
    if (this.#pass) this.#pass(bytes);
    else if (!this.#pushes.push(bytes)) this.#socket.pause();
  }

  #ping(payload: Uint8Array): void {
    if (this.#closeSent) return;
    if (++this.#pongs > maxPongs) this.destroy(broken('it pings and does not read the answers'));
    else this.#socket.write(encodePong(payload, this.#end), () => this.#pongs--);
  }

  /** Sends CLOSE, once. */
  #close(code: number): void {
    if (this.#closeSent || this.#socket.destroyed || this.#socket.writableEnded) return;
    this.#closeSent = true;
    this.#socket.write(encodeClose(code, this.#end));
  }

  #closed(code: number): void {
    this.#peerClosed = true;
    this.#close(closeCode.normal);
    if (code !== closeCode.normal && code !== closeCode.away && code !== closeCode.none) {
      this.destroy(broken(`it closed with code ${code}`));
      return;
    }
    lastWords(this.#socket);
    this.once('end', () => this.destroy());
    this.#pushes.flush();
    this.push(null);
  }

  /** The connection is gone; in order only if the peer closed before. */
  #gone(): void {
    if (!this.#peerClosed) this.destroy(broken('it ended without a close (code 1006)'));
  }
}

/** What was written last goes out, and what still comes is discarded. */
function lastWords(socket: Duplex): void {
  if (socket.destroyed || socket.writableEnded) return;
  const timer = setTimeout(() => socket.destroy(), lingerMs).unref();
  socket.once('close', () => clearTimeout(timer));
  socket.end(() => socket.destroy());
  socket.resume();
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

/** `close` follows, and the owner handles that. */
function ignore(): void {
  /* see above */
}
