/**
 * The property of gathered pieces: whatever is cut how, out of memory of its own or out of a slab that the reader uses
 * again, and whenever slabs go from one stream to another, every stream's bytes arrive exact. Used by the unit test and
 * by the fuzzer.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Gatherer, smallBytes } from '../../packages/shared/src/net/gatherer.ts';
import { poisonReleased, type Slab, SlabPool } from '../../packages/shared/src/net/slab.ts';
import type { Lease } from '../../packages/shared/src/protocol/mux/replay.ts';

poisonReleased();
const reads = new SlabPool({ slabBytes: 65_536, most: 2 });

/** Reads one piece after the other into a slab, as a carrier does, for all streams. */
class Reader {
  #slab = reads.take();
  #at = 0;

  room(bytes: number): { readonly slab: Slab; readonly at: number } {
    if (this.#at + bytes > this.#slab.bytes.length) this.next();
    const at = this.#at;
    this.#at += bytes;
    return { slab: this.#slab, at };
  }

  next(): void {
    this.#slab.release();
    this.#slab = reads.take();
    this.#at = 0;
  }
}
const reader = new Reader();

/** The size of a piece: often on an edge. */
export const pieceBytes = fc.oneof(
  fc.constant(1),
  fc.integer({ min: 1, max: 300 }),
  fc.integer({ min: smallBytes - 2, max: smallBytes + 2 }),
  fc.integer({ min: 1, max: 20_000 }),
);

const of = fc.nat(2);
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constant('add' as const),
      of,
      length: pieceBytes,
      fill: fc.nat(255),
      lent: fc.boolean(),
      drains: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constantFrom('flush' as const, 'write' as const), of }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('read' as const), of }) },
);

class Stream {
  readonly gatherer = new Gatherer((bytes, lease) => {
    this.#passed.push(bytes);
    if (lease) this.#leases.push(lease);
  });
  readonly #passed: Uint8Array[] = [];
  readonly #leases: Lease[] = [];
  readonly #given: Buffer[] = [];

  /** `lent`: the memory is that of the reader, who uses it again once nobody holds it. */
  add(bytes: Buffer, { lent, drains }: { readonly lent: boolean; readonly drains: boolean }): void {
    this.#given.push(bytes);
    if (!lent) return this.gatherer.add(bytes, drains);
    const { slab, at } = reader.room(bytes.length);
    slab.bytes.set(bytes, at);
    this.gatherer.add(slab.bytes.subarray(at, at + bytes.length), drains);
  }

  /** Everything is written, and nobody reads it any more. What is given back is poisoned. */
  write(): void {
    this.gatherer.flush();
    assert.deepEqual(Buffer.concat(this.#passed), Buffer.concat(this.#given));
    this.#passed.length = this.#given.length = 0;
    for (const lease of this.#leases.splice(0)) lease.release();
    this.gatherer.release();
  }
}

export function gatherProperty() {
  return fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const streams = [new Stream(), new Stream(), new Stream()];
    for (const done of steps) {
      const stream = streams[done.of]!;
      if (done.op === 'add') stream.add(Buffer.alloc(done.length, done.fill), done);
      else if (done.op === 'flush') stream.gatherer.flush();
      else if (done.op === 'read') reader.next();
      else stream.write();
    }
    for (const stream of streams) stream.write();
  });
}
