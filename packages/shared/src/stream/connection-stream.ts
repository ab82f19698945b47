/**
 * A stream that is a connection of its own: an upgraded HTTP/1.1 connection, or one stream of HTTP/2.
 * Rule: as MuxStream: it ends exactly once, and a cut is never reported as an end, but as a reset of both directions.
 * What we send ahead is bounded by the duplex's write buffer, what we read ahead by what the local socket accepted, and
 * small pieces that wait in the duplex are gathered. This is the duplex's one owner until it is refused or over.
 * Not here: resumption. A connection that breaks is a reset.
 */
import type { Duplex } from 'node:stream';
import { type GatheredPushes, gatherPushes } from '../net/gathered-pushes.ts';
import type { PeerEnd } from '../net/peer-end.ts';
import { headerBytes } from '../protocol/mux/frame.ts';
import type { Lease } from '../protocol/mux/replay.ts';
import { readBytes, type StreamEvents } from '../protocol/mux/stream.ts';
import type { WireRefusal } from '../protocol/refusal.ts';
import type { OfferedStream } from './contract.ts';

/** What differs from protocol to protocol. */
export interface DuplexEnds {
  readonly id: number;
  /** Accepts the peer's request. */
  accept(): void;
  /** Refuses the request with the reason, and ends the duplex. */
  refuse(refusal: WireRefusal): void;
  /** Ends the duplex so that the peer sees a reset. */
  reset(refusal: WireRefusal): void;
  /** The reason why a duplex closed that had not ended in order. */
  died(): WireRefusal;
  /** How the peer ended its half. Absent if a cut never looks like an end. */
  readonly peerEnd?: PeerEnd;
}

/** From this many bytes in the duplex's write buffer on, the source waits. */
const sendAheadBytes = 262_144;
/**
 * From this many bytes on that were read and not accepted by the local socket, the duplex is paused. Well above a
 * socket's own high-water mark, so that its `drain` comes.
 */
const readAheadBytes = 262_144;

export class ConnectionStream implements OfferedStream {
  readonly id: number;
  bytesSent = 0;
  bytesReceived: number;
  readonly #duplex: Duplex;
  readonly #ends: DuplexEnds;
  readonly #pushes: GatheredPushes;
  #events: StreamEvents | undefined;
  /** Bytes that the owner got, and of these what the local socket accepted. */
  #delivered = 0;
  #accepted = 0;
  #waiting = false;
  #paused = false;
  #finished = false;
  #ended = false;
  /** The owner knows that it ended. */
  #over = false;

  /** The caller has put back the bytes that came with the request. */
  constructor(duplex: Duplex, ends: DuplexEnds) {
    this.id = ends.id;
    this.#duplex = duplex;
    this.#ends = ends;
    this.bytesReceived = duplex.readableLength;
    this.#pushes = gatherPushes(duplex, {
      arrived: (bytes) => {
        this.bytesReceived += bytes;
      },
      waits: () => this.#events?.held?.(),
    });
    duplex.on('error', () => {
      /* `close` follows, and is handled */
    });
  }

  get events(): StreamEvents {
    return this.#events!;
  }

  /** Reading begins with the first owner. */
  set events(events: StreamEvents) {
    const first = this.#events === undefined;
    this.#events = events;
    if (!first) return;
    const duplex = this.#duplex;
    duplex
      .on('data', (chunk: Buffer) => this.#read(chunk))
      .on('end', () => this.#readEnd())
      .on('close', () => this.#closed());
    if (duplex.closed) setImmediate(() => this.#closed());
    else duplex.resume();
  }

  get dead(): boolean {
    return this.#over || (this.#finished && this.#ended);
  }

  canSend(): boolean {
    if (this.#over || this.#finished) return false;
    if (this.#duplex.writableLength + readBytes <= sendAheadBytes) return true;
    this.#waiting = true;
    return false;
  }

  sendBuffer(buffer: Uint8Array, length: number, lease: Lease): boolean {
    if (this.#over) {
      lease.release();
      return false;
    }
    return this.#write(buffer.subarray(headerBytes, headerBytes + length), lease);
  }

  sendCopy(bytes: Uint8Array): boolean {
    return !this.#over && this.#write(Buffer.from(bytes), undefined);
  }

  sendView(bytes: Uint8Array): boolean {
    return !this.#over && this.#write(bytes, undefined);
  }

  finish(): void {
    if (this.#over || this.#finished) return;
    this.#finished = true;
    this.#duplex.end();
  }

  reset(refusal: WireRefusal): void {
    if (this.#over) return;
    this.#over = true;
    this.#ends.reset(refusal);
  }

  accept(): void {
    if (!this.#over) this.#ends.accept();
  }

  refuse(refusal: WireRefusal): void {
    if (this.#over) return;
    this.#over = true;
    this.#ends.refuse(refusal);
  }

  accepted(total: number): void {
    this.#accepted = total;
    if (!this.#paused || this.#delivered - total >= readAheadBytes / 2) return;
    this.#paused = false;
    this.#duplex.resume();
  }

  #write(bytes: Uint8Array, lease: Lease | undefined): boolean {
    this.bytesSent += bytes.length;
    this.#duplex.write(bytes, () => this.#written(lease));
    return this.canSend();
  }

  /** The bytes were written, or lost with the duplex. In both cases nobody reads the buffer any more. */
  #written(lease: Lease | undefined): void {
    lease?.release();
    if (!this.#waiting || this.#over || this.#duplex.writableLength + readBytes > sendAheadBytes) return;
    this.#waiting = false;
    this.#events!.writable();
  }

  #read(chunk: Buffer): void {
    if (this.#over) return;
    this.#delivered += chunk.length;
    if (!this.#paused && this.#delivered - this.#accepted >= readAheadBytes) {
      this.#paused = true;
      this.#duplex.pause();
    }
    this.#events!.data(chunk);
    this.#pushes.taken();
  }

  #readEnd(): void {
    if (this.#over) return;
    if (this.#ends.peerEnd?.inOrder === false) {
      this.#cut();
      return;
    }
    this.#ended = true;
    this.#events!.end();
  }

  /** The end that was read is none: both directions are reset. */
  #cut(): void {
    this.#over = true;
    const refusal = this.#ends.died();
    this.#ends.reset(refusal);
    this.#events!.reset(refusal);
  }

  /** It ended in order only if both halves ended and the last bytes were written. */
  #closed(): void {
    if (this.#over) return;
    this.#over = true;
    if (!this.#finished || !this.#ended || !this.#duplex.writableFinished) this.#events!.reset(this.#ends.died());
  }
}
