/**
 * Memory that several reads or pieces share, lent from a pool.
 * Rule: a slab returns to its pool when the last of its holders has released it, and no byte of it is read after that.
 * Each holder releases once. A slab that nobody releases (its socket died while the kernel may hold it) is garbage, and
 * never used again.
 * With `adit-poison` in NODE_DEBUG, as in our tests, what is released is overwritten, so that a byte read too late is
 * seen.
 */
import type { Lease } from '../protocol/mux/replay.ts';
import { FreeList } from './free-list.ts';

/** A byte that no test sends on its own. */
const poisonByte = 0xdb;
let poisons = process.env['NODE_DEBUG']?.split(',').includes('adit-poison') === true;

/** For tests: overwrites what is released from now on. */
export function poisonReleased(): void {
  poisons = true;
}

const slabs = new WeakMap<ArrayBufferLike, Slab>();

/** The slab that the bytes lie in; undefined if they lie elsewhere. */
export function slabOf({ buffer }: Uint8Array): Slab | undefined {
  return slabs.get(buffer);
}

/** Overwrites memory that was released, where tests ask for it. */
export function poison(bytes: Uint8Array): void {
  if (poisons) bytes.fill(poisonByte);
}

export class Slab implements Lease {
  readonly bytes: Buffer;
  readonly #pool: SlabPool;
  #holders = 0;

  constructor(pool: SlabPool, bytes: number) {
    this.#pool = pool;
    this.bytes = Buffer.allocUnsafeSlow(bytes);
    slabs.set(this.bytes.buffer, this);
  }

  /** One more holder, who releases it. */
  retain(): this {
    this.#holders++;
    return this;
  }

  release(): void {
    if (--this.#holders > 0) return;
    if (this.#holders < 0) throw new Error('a slab was released once too often');
    this.#pool.put(this);
  }
}

export class SlabPool {
  readonly #slabBytes: number;
  readonly #free: FreeList<Slab>;

  /** Keeps at most `most` slabs that nobody holds. */
  constructor({ slabBytes, most }: { readonly slabBytes: number; readonly most: number }) {
    this.#slabBytes = slabBytes;
    this.#free = new FreeList({ most });
  }

  /** A slab with one holder: the caller. */
  take(): Slab {
    return (this.#free.take() ?? new Slab(this, this.#slabBytes)).retain();
  }

  /** For the slab whose last holder released it. */
  put(slab: Slab): void {
    poison(slab.bytes);
    this.#free.put(slab);
  }
}
