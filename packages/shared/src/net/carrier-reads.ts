/**
 * Reads of a carrier, into slabs that several reads share. TLS comes in records of at most 16 KiB: a slab holds four.
 * Rule: bytes that are passed on are valid during that call only. To keep a piece of at least `smallBytes`,
 * retain its slab (`slabOf`) and release it afterwards; copy a smaller one. A carrier that is idle, or whose reads
 * are small, holds no slab of its own: all of them share one buffer. TLS decrypts into it within one
 * call.
 * Where a socket cannot be read into buffers (user-buffer.ts) it is read by 'data': what comes
 * then belongs to nobody and may be kept as it is.
 */
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import { gatherPushes } from './gathered-pushes.ts';
import { smallBytes } from './gatherer.ts';
import { type Slab, SlabPool } from './slab.ts';
import { type BufferReads, readIntoBuffers } from './user-buffer.ts';

/** A record of TLS, and so the most that is read at once. */
const recordBytes = 16_384;
const slabs = new SlabPool({ slabBytes: 65_536, most: 256 });
/** After so many small reads in a row a carrier gives its slab back. */
const smallReads = 8;

/** What all carriers with small reads read into. */
const shared = Buffer.allocUnsafeSlow(recordBytes);

/**
 * Passes on what is read from the duplex, which is paused and stays so. Returns what was read before: it comes first.
 */
export function readCarrier(duplex: Duplex, pass: (bytes: Uint8Array) => void): Uint8Array {
  if (passesPieces(duplex)) return duplex.readPieces(pass);
  const before = duplex instanceof tls.TLSSocket ? readIntoSlabs(duplex, pass) : undefined;
  if (before) return before;
  const pushes = gatherPushes(duplex);
  duplex.on('data', (chunk: Buffer) => {
    pass(chunk);
    pushes.taken();
  });
  return nothing;
}

const nothing = new Uint8Array(0);

/** A duplex over another one that passes on what it reads from that, without keeping it: a WebSocket. */
export interface PassesPieces {
  /** As `readCarrier` of the duplex. */
  readPieces(pass: (bytes: Uint8Array) => void): Uint8Array;
}

function passesPieces(duplex: Duplex): duplex is Duplex & PassesPieces {
  return 'readPieces' in duplex;
}

function readIntoSlabs(socket: tls.TLSSocket, pass: (bytes: Uint8Array) => void): Uint8Array | undefined {
  const reads = new SlabReads(pass);
  const before = readIntoBuffers(socket, reads);
  if (before) socket.once('close', () => reads.close());
  return before;
}

/** The reads of one carrier. */
export class SlabReads implements BufferReads {
  readonly #pass: (bytes: Uint8Array) => void;
  /** Absent while it reads into the shared buffer. */
  #slab: Slab | undefined;
  #at = 0;
  #small = 0;

  constructor(pass: (bytes: Uint8Array) => void) {
    this.#pass = pass;
  }

  readonly next = (): Buffer => {
    if (this.#slab === undefined) return shared;
    if (this.#slab.bytes.length - this.#at < recordBytes) this.#begin();
    return this.#slab.bytes.subarray(this.#at);
  };

  readonly arrived = (length: number): void => {
    const isSmall = length < smallBytes;
    this.#small = isSmall ? this.#small + 1 : 0;
    if (this.#slab === undefined) {
      if (isSmall) {
        this.#pass(shared.subarray(0, length));
        return;
      }
      shared.copy(this.#begin().bytes, 0, 0, length);
    }
    const slab = this.#slab!;
    const from = this.#at;
    this.#at += length;
    this.#pass(slab.bytes.subarray(from, this.#at));
    if (this.#small >= smallReads) this.close();
  };

  /** The socket has closed, or its reads are small: the slab is used by no further read of it. */
  close(): void {
    this.#slab?.release();
    this.#slab = undefined;
  }

  #begin(): Slab {
    this.#slab?.release();
    this.#at = 0;
    this.#slab = slabs.take();
    return this.#slab;
  }
}
