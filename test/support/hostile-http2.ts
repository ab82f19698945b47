/**
 * A client with a valid certificate that speaks HTTP/2 frame by frame, as it likes (RFC 9113); CONNECT only.
 * Rule: it keeps to the windows of connection and stream, and answers SETTINGS.
 */
import type { Duplex } from 'node:stream';
import { putU24, putU32, u16, u24, u32 } from '@adit/shared/protocol/bytes';
import type { Certificates, KeyPair } from './certificates.ts';
import { secureConnection } from './connect-client.ts';
import { within } from './scope.ts';

const patienceMs = 60_000;
const headerBytes = 9;
const frameType = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goaway: 7, windowUpdate: 8 } as const;
const [ack, endHeaders] = [1, 4];
const initialWindowSize = 4;

export class HostileHttp2 {
  readonly duplex: Duplex;
  /** Streams that were reset. */
  readonly lost = new Set<number>();
  /** The streams whose CONNECT was answered. */
  readonly answered = new Set<number>();
  readonly #windows = new Map<number, number>([[0, 65_535]]);
  readonly #waiting: (() => void)[] = [];
  #initialWindow = 65_535;
  #settled = false;
  #pongs = 0;
  #unread: Buffer = Buffer.alloc(0);
  #nextId = 1;

  private constructor(duplex: Duplex) {
    this.duplex = duplex;
    duplex
      .on('data', (chunk: Buffer) => {
        this.#receive(chunk);
        this.#wake();
      })
      .on('drain', () => this.#wake())
      .on('close', () => this.#wake());
    duplex.write(Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(frameType.settings, 0, '')]));
  }

  /** A connection to an egress on a port of this machine. */
  static async connect(egress: { port: number; certs: Certificates }, pair: KeyPair): Promise<HostileHttp2> {
    const { socket } = await secureConnection(egress, pair, 'h2');
    const client = new HostileHttp2(socket);
    await client.until('SETTINGS', () => client.#settled);
    return client;
  }

  /** CONNECT to `host:port`; resolves when it is answered. */
  async open(authority: string): Promise<number> {
    const id = this.#nextId;
    this.#nextId += 2;
    this.#windows.set(id, this.#initialWindow);
    // HPACK: literals without indexing, with the names :method (2) and :authority (1) of the static table.
    const head = `\x02\x07CONNECT\x01${String.fromCharCode(authority.length)}${authority}`;
    this.duplex.write(frame(frameType.headers, id, head, endHeaders));
    await this.until(`an answer on stream ${id}`, () => this.answered.has(id));
    return id;
  }

  /** DATA of a stream, cut into frames of `size` bytes, as soon as the windows allow. */
  async data(id: number, bytes: number, size: number): Promise<void> {
    for (let left = bytes; left > 0;) {
      const most = Math.min(left, size === 1 ? 16_384 : size);
      await this.until(`room for stream ${id}`, () => this.#window(id) >= most && !this.duplex.writableNeedDrain);
      for (const window of [0, id]) this.#windows.set(window, this.#windows.get(window)! - most);
      const one = frame(frameType.data, id, '\0'.repeat(Math.min(size, most)));
      this.duplex.write(size === 1 ? Buffer.alloc(most * one.length, one) : one);
      left -= most;
    }
  }

  /** The egress has parsed everything that was sent. */
  async parsed(): Promise<void> {
    const before = this.#pongs;
    this.duplex.write(frame(frameType.ping, 0, '\0'.repeat(8)));
    await this.until('an answer to PING', () => this.#pongs > before);
  }

  /** Resolves when it is so, which is looked at when something arrives or the connection takes more. */
  async until(what: string, so: () => boolean): Promise<void> {
    const waits = async (): Promise<void> => {
      while (!so()) {
        if (this.duplex.destroyed) throw new Error(`${what}: the egress closed the connection`);
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
      }
    };
    await within(patienceMs, what, waits());
  }

  #window(id: number): number {
    return Math.min(this.#windows.get(0)!, this.#windows.get(id)!);
  }

  #wake(): void {
    for (const waiter of this.#waiting.splice(0)) waiter();
  }

  #receive(chunk: Buffer): void {
    let bytes = Buffer.concat([this.#unread, chunk]);
    while (bytes.length >= headerBytes && bytes.length >= headerBytes + u24(bytes, 0)) {
      const end = headerBytes + u24(bytes, 0);
      this.#heard({ type: bytes[3]!, flags: bytes[4]!, id: u32(bytes, 5) }, bytes.subarray(headerBytes, end));
      bytes = bytes.subarray(end);
    }
    this.#unread = bytes;
  }

  #heard({ type, flags, id }: { type: number; flags: number; id: number }, payload: Buffer): void {
    if (type === frameType.settings && flags !== ack) this.#settings(payload);
    else if (type === frameType.windowUpdate) this.#windows.set(id, this.#windows.get(id)! + u32(payload, 0));
    else if (type === frameType.headers) this.answered.add(id);
    else if (type === frameType.ping && flags === ack) this.#pongs++;
    else if (type === frameType.reset) this.lost.add(id);
  }

  #settings(payload: Buffer): void {
    for (let at = 0; at < payload.length; at += 6)
      if (u16(payload, at) === initialWindowSize) this.#initialWindow = u32(payload, at + 2);
    this.#settled = true;
    this.duplex.write(frame(frameType.settings, 0, '', ack));
  }
}

/** One frame; `payload` as Latin-1. */
function frame(type: number, id: number, payload: string, flags = 0): Buffer {
  const bytes = Buffer.alloc(headerBytes + payload.length);
  putU24(bytes, 0, payload.length);
  bytes[3] = type;
  bytes[4] = flags;
  putU32(bytes, 5, id);
  bytes.write(payload, headerBytes, 'latin1');
  return bytes;
}
