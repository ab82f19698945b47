/**
 * A client with a valid certificate that speaks the tunnel's protocol frame by frame, as it likes.
 * Rule: it knows its credit and leaves keeping to it to the test; it acknowledges nothing and answers nothing by
 * itself.
 */
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { u32 } from '@adit/shared/protocol/bytes';
import { type Destination } from '@adit/shared/protocol/destination';
import { FrameDecoder } from '@adit/shared/protocol/mux/decoder';
import { encodeFrame, frameType, maxDataBytes } from '@adit/shared/protocol/mux/frame';
import { encodeOpen } from '@adit/shared/protocol/open';
import { decodeClose } from '@adit/shared/protocol/refusal';
import { connectSession } from '@adit/shared/session/connect';
import type { Certificates, KeyPair } from './certificates.ts';
import { testCarrier } from './in-process.ts';
import { atEnd, within } from './scope.ts';

const patienceMs = 60_000;

export class FrameClient {
  readonly duplex: Duplex;
  /** What the egress said when it ended the session: the code and the reason. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string } | undefined>;
  readonly #credit = new Map<number, number>();
  readonly #opened = new Set<number>();
  /** Streams that the egress refused or reset. */
  readonly lost = new Set<number>();
  readonly #waiting: (() => void)[] = [];
  readonly #window: number;
  #nextId = 1;
  #pongs = 0;
  #close: { readonly code: number; readonly reason: string } | undefined;

  private constructor(duplex: Duplex, window: number, rest: Uint8Array) {
    this.duplex = duplex;
    this.#window = window;
    const decoder = new FrameDecoder({
      data: () => {},
      control: (type, id, payload) => this.#heard(type, id, payload),
    });
    const wake = (): void => {
      for (const waiter of this.#waiting.splice(0)) waiter();
    };
    const receive = (bytes: Uint8Array): void => {
      decoder.receive(bytes);
      wake();
    };
    duplex
      .on('data', receive)
      .on('drain', wake)
      .on('end', () => duplex.destroy());
    this.closed = once(duplex, 'close').then(() => this.#close);
    receive(rest);
    duplex.resume();
  }

  /** A new session with an egress on a port of this machine. */
  static async connect(egress: { port: number; certs: Certificates }, pair: KeyPair): Promise<FrameClient> {
    const carrier = await testCarrier(egress, pair);
    atEnd(() => carrier.duplex.destroy());
    const { welcome, rest } = await connectSession(carrier, {
      window: 262_144,
      agent: 'hostile',
      deadlineMs: patienceMs,
    });
    return new FrameClient(carrier.duplex, welcome.window, rest);
  }

  open(destination: Destination): number {
    const id = this.#nextId;
    this.#nextId += 2;
    this.#credit.set(id, this.#window);
    this.duplex.write(encodeFrame(frameType.open, id, encodeOpen({ destination, frontEnd: 'forward' })));
    return id;
  }

  /** The bytes that the egress still takes on a stream. */
  credit(id: number): number {
    return this.#credit.get(id)!;
  }

  /** Writes frames; resolves when the connection takes more. */
  async send(frames: Uint8Array): Promise<void> {
    if (this.duplex.destroyed) throw new Error(`the egress has ended the session: ${this.#close?.reason}`);
    if (!this.duplex.write(frames)) await this.until('room on the connection', () => !this.duplex.writableNeedDrain);
  }

  /** DATA of a stream, cut into frames of `size` bytes. */
  async data(id: number, bytes: number, size: number = maxDataBytes): Promise<void> {
    await this.sendOn(id, bytes, dataFrames(id, bytes, size));
  }

  /** Frames with so many bytes of DATA of a stream among them. */
  async sendOn(id: number, bytes: number, frames: Uint8Array): Promise<void> {
    this.#credit.set(id, this.credit(id) - bytes);
    await this.send(frames);
  }

  /** The egress has parsed everything that was sent. */
  async parsed(): Promise<void> {
    const before = this.#pongs;
    await this.send(encodeFrame(frameType.ping, 0, new Uint8Array(8)));
    await this.until('an answer to PING', () => this.#pongs > before);
  }

  async opened(id: number): Promise<void> {
    await this.until(`OPEN_OK of stream ${id}`, () => this.#opened.has(id));
  }

  /** Resolves when it is so, which is looked at when something arrives or the connection takes more. */
  async until(what: string, so: () => boolean): Promise<void> {
    const waits = (async () => {
      while (!so()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    })();
    const gone = this.closed.then((close) => {
      throw new Error(`the egress closed the connection: ${close?.reason ?? 'without a word'}`);
    });
    gone.catch(() => {});
    await within(patienceMs, what, Promise.race([waits, gone]));
  }

  #heard(type: number, id: number, payload: Uint8Array): void {
    if (type === frameType.window) this.#credit.set(id, this.credit(id) + u32(payload, 0));
    else if (type === frameType.openOk) this.#opened.add(id);
    else if (type === frameType.openErr || type === frameType.reset) this.lost.add(id);
    else if (type === frameType.pong) this.#pongs++;
    else if (type === frameType.close) this.#close = decodeClose(payload);
  }
}

/** `bytes` of DATA in frames of `size`. */
export function dataFrames(id: number, bytes: number, size: number): Buffer {
  const frame = encodeFrame(frameType.data, id, new Uint8Array(size));
  const whole = Math.floor(bytes / size);
  const rest = bytes % size;
  const frames = Buffer.alloc(whole * frame.length, frame);
  return rest === 0 ? frames : Buffer.concat([frames, encodeFrame(frameType.data, id, new Uint8Array(rest))]);
}
