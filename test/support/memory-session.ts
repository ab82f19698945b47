/**
 * A session in memory: it opens streams, writes down what it is told, and lets the test be the far side.
 * Rule: it takes every byte at once and answers nothing by itself.
 */
import { codeOfWire, wireOfCode, type Code } from '@adit/shared/errors';
import { headerBytes } from '@adit/shared/protocol/mux/frame';
import type { Lease } from '@adit/shared/protocol/mux/replay';
import type { StreamEvents } from '@adit/shared/protocol/mux/stream';
import { decodeOpen, type OpenRequest } from '@adit/shared/protocol/open';
import type { WireRefusal } from '@adit/shared/protocol/refusal';
import type { RelayStream, StreamOpener } from '@adit/shared/stream/contract';

export class MemoryStream implements RelayStream {
  readonly id = 1;
  dead = false;
  bytesSent = 0;
  bytesReceived = 0;
  events!: StreamEvents;
  readonly #heard: (what: string) => void;

  constructor(heard: (what: string) => void) {
    this.#heard = heard;
  }

  canSend(): boolean {
    return !this.dead;
  }
  sendBuffer(buffer: Uint8Array, length: number, lease: Lease): boolean {
    const more = this.sendView(buffer.subarray(headerBytes, headerBytes + length));
    lease.release();
    return more;
  }
  sendCopy(bytes: Uint8Array): boolean {
    return this.sendView(bytes);
  }
  sendView(bytes: Uint8Array): boolean {
    this.bytesSent += bytes.length;
    this.#heard(Buffer.from(bytes).toString('latin1').trim());
    return true;
  }
  finish(): void {
    this.#heard('FIN');
  }
  reset({ code }: WireRefusal): void {
    this.dead = true;
    this.#heard(`RESET ${codeOfWire(code)}`);
  }
  accepted(): void {
    /* there is credit for everything */
  }

  // The far side.

  opens(): void {
    this.events.opened(new Uint8Array(0));
  }
  refuses(code: Code): void {
    this.dead = true;
    this.events.refused({ code: wireOfCode(code), reason: 'the egress says no' });
  }
  says(text: string): void {
    this.bytesReceived += text.length;
    this.events.data(Buffer.from(text, 'latin1'));
  }
  ends(): void {
    this.events.end();
  }
  resets(code: Code): void {
    this.dead = true;
    this.events.reset({ code: wireOfCode(code), reason: 'the service reset it' });
  }
}

/** A session for one stream. */
export class MemorySession implements StreamOpener {
  over = false;
  doubted = false;
  silent = false;
  /** What the ingress said: `OPEN` (`OPEN h2` with a protocol), the bytes as text, `FIN`, `RESET PEER_GONE`. */
  readonly heard: string[] = [];
  /** What OPEN asked for. */
  asked: OpenRequest | undefined;
  /** The stream, once it is opened. */
  readonly stream: Promise<MemoryStream>;
  #opened!: (stream: MemoryStream) => void;
  readonly #listeners: (() => void)[] = [];

  constructor() {
    this.stream = new Promise((resolve) => {
      this.#opened = resolve;
    });
  }

  open(payload: Uint8Array): MemoryStream {
    const open = decodeOpen(payload);
    if (!open.ok) throw new Error(open.reason);
    this.asked = open.request;
    this.#hear(['OPEN', open.request.alpn ?? ''].join(' ').trim());
    const stream = new MemoryStream((what) => this.#hear(what));
    this.#opened(stream);
    return stream;
  }

  /** Resolves when the ingress has said this. */
  async until(what: string): Promise<void> {
    while (!this.heard.includes(what))
      await new Promise<void>((resolve) => {
        this.#listeners.push(resolve);
      });
  }

  #hear(what: string): void {
    this.heard.push(what);
    for (const tell of this.#listeners.splice(0)) tell();
  }
}
