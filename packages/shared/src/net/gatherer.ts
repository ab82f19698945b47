/**
 * Pieces of one stream that may wait: small ones are gathered in slabs, large ones stay views.
 * Rule: what waits costs memory in proportion to its bytes, however it was cut. A piece below `smallBytes` is copied
 * into the slab; a larger one is kept as a view only if it fills half of its chunk, so that a few bytes do not pin a
 * whole chunk of the carrier. A slab belongs to one stream: if several shared it, one byte of a stream that does not
 * drain would pin the bytes of all others.
 * What goes to a socket that drains may stay a view if it fills a fifth: a TLS record of 16 KiB lies in a slab of 64,
 * and a copy of every record costs bulk a tenth of its throughput. A slab that carriers read into
 * (net/carrier-reads.ts) is retained for that, and passed on as a lease; what waits is copied out of it.
 * Bounds: n bytes hold at most 2 n and one slab, in at most n / 4,096 + 2 objects; those that drain hold at most 5 n.
 */
import type { Lease } from '../protocol/mux/replay.ts';
import { type Slab, SlabPool, slabOf } from './slab.ts';

/** A piece below this is gathered: half a TLS record, so that those of bulk are not; bytes. */
export const smallBytes = 8_192;
export const slabBytes = 16_384;
/** A turn of bulk fills this many, and has them back with its write. */
const slabs = new SlabPool({ slabBytes, most: 256 });

/** The piece, or a copy if it would pin a chunk of more than twice its size, or its slab is read into again. */
export function keepable(bytes: Uint8Array): Uint8Array {
  if (mayStay(bytes)) return bytes;
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}

function mayStay(bytes: Uint8Array): boolean {
  return bytes.length * 2 >= bytes.buffer.byteLength && slabOf(bytes) === undefined;
}

/** Takes bytes, which it may keep. A `lease` is released by whoever is done with them and all before them, once. */
export type Pass = (bytes: Uint8Array, lease?: Lease) => void;

export class Gatherer {
  readonly #pass: Pass;
  #slab: Slab | undefined;
  /** The gathered bytes in the slab. */
  #from = 0;
  #to = 0;

  /** `pass` gets the bytes in order. */
  constructor(pass: Pass) {
    this.#pass = pass;
  }

  /** Bytes that were gathered and not passed on. */
  get waiting(): number {
    return this.#to - this.#from;
  }

  /** Gathers a small piece; passes on a full slab, and a large piece. `drains`: nothing waits where it goes. */
  add(bytes: Uint8Array, drains = false): void {
    if (bytes.length >= smallBytes) {
      this.flush();
      if (drains && bytes.length * 5 >= bytes.buffer.byteLength) this.#pass(bytes, slabOf(bytes)?.retain());
      else this.#passLarge(bytes);
      return;
    }
    for (let at = 0; at < bytes.length;) {
      this.#slab ??= slabs.take();
      const taken = Math.min(bytes.length - at, slabBytes - this.#to);
      this.#slab.bytes.set(taken === bytes.length ? bytes : bytes.subarray(at, at + taken), this.#to);
      this.#to += taken;
      at += taken;
      if (this.#to < slabBytes) continue;
      const full = this.#slab;
      const last = full.bytes.subarray(this.#from);
      this.drop();
      this.#pass(last, full);
    }
  }

  /** A piece that would pin too much of its chunk is copied to a slab of its own, from the pool. */
  #passLarge(bytes: Uint8Array): void {
    if (mayStay(bytes) || bytes.length > slabBytes) return this.#pass(keepable(bytes));
    const slab = slabs.take();
    slab.bytes.set(bytes);
    this.#pass(slab.bytes.subarray(0, bytes.length), slab);
  }

  /** Takes what was gathered; undefined if there is nothing. */
  take(): Uint8Array | undefined {
    if (this.#from === this.#to) return undefined;
    const bytes = this.#slab!.bytes.subarray(this.#from, this.#to);
    this.#from = this.#to;
    return bytes;
  }

  /** Passes on what was gathered. */
  flush(): void {
    const bytes = this.take();
    if (bytes) this.#pass(bytes);
  }

  /** Nobody reads what was passed on any more: the slab returns to the pool, unless there is something in it. */
  release(): void {
    if (this.#slab === undefined || this.#from < this.#to) return;
    this.#slab.release();
    this.drop();
  }

  /** Lets go of the slab, which belongs to whoever got its bytes. What was not taken is lost. */
  drop(): void {
    this.#slab = undefined;
    this.#from = this.#to = 0;
  }
}
