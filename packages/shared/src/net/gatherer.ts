/**
 * Pieces of one stream that may wait: small ones are gathered in slabs, large ones stay views.
 * Rule: what waits costs memory in proportion to its bytes, however it was cut. A piece below `smallBytes` is copied
 * into the slab; a larger one is kept as a view only if it fills half of its chunk, so that a few bytes do not pin a
 * whole chunk of the carrier. A slab belongs to one stream: if several shared it, one byte of a stream that does not
 * drain would pin the bytes of all others.
 * Bounds: n bytes hold at most 2 n and one slab, in at most n / 4,096 + 2 objects.
 */

/** A piece below this is gathered: half a TLS record, so that those of bulk are not; bytes. */
export const smallBytes = 8_192;
export const slabBytes = 16_384;
const maxPooled = 64;
const pool: Buffer[] = [];

/** The piece, or a copy if the piece would pin a chunk of more than twice its size. */
export function keepable(bytes: Uint8Array): Uint8Array {
  if (bytes.length * 2 >= bytes.buffer.byteLength) return bytes;
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}

/**
 * Takes bytes, which it may keep. With a `slab` they are its last ones: whoever is done with them and all before them
 * may give it back by `recycle`, once.
 */
export type Pass = (bytes: Uint8Array, slab?: Buffer) => void;

export class Gatherer {
  readonly #pass: Pass;
  #slab: Buffer | undefined;
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

  /** Gathers a small piece; passes on a full slab, and a large piece. */
  add(bytes: Uint8Array): void {
    if (bytes.length >= smallBytes) {
      this.flush();
      this.#pass(keepable(bytes));
      return;
    }
    for (let at = 0; at < bytes.length;) {
      this.#slab ??= pool.pop() ?? Buffer.allocUnsafeSlow(slabBytes);
      const taken = Math.min(bytes.length - at, slabBytes - this.#to);
      this.#slab.set(taken === bytes.length ? bytes : bytes.subarray(at, at + taken), this.#to);
      this.#to += taken;
      at += taken;
      if (this.#to < slabBytes) continue;
      const full = this.#slab;
      const last = full.subarray(this.#from);
      this.drop();
      this.#pass(last, full);
    }
  }

  /** Takes what was gathered; undefined if there is nothing. */
  take(): Uint8Array | undefined {
    if (this.#from === this.#to) return undefined;
    const bytes = this.#slab!.subarray(this.#from, this.#to);
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
    recycle(this.#slab);
    this.drop();
  }

  /** Lets go of the slab, which belongs to whoever got its bytes. What was not taken is lost. */
  drop(): void {
    this.#slab = undefined;
    this.#from = this.#to = 0;
  }
}

/** A slab of which nobody reads a byte any more. */
export function recycle(slab: Buffer): void {
  if (pool.length < maxPooled) pool.push(slab);
}
