/**
 * The property of gathered pieces: whatever is cut how, and whenever slabs go from one stream to another, every
 * stream's bytes arrive exact. Used by the unit test and by the fuzzer.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Gatherer, recycle, smallBytes } from '../../packages/shared/src/net/gatherer.ts';

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
    arbitrary: fc.record({ op: fc.constant('add' as const), of, length: pieceBytes, fill: fc.nat(255) }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constantFrom('flush' as const, 'write' as const), of }) },
);

class Stream {
  readonly gatherer = new Gatherer((bytes, slab) => {
    this.#passed.push(bytes);
    if (slab) this.#slabs.push(slab);
  });
  readonly #passed: Uint8Array[] = [];
  readonly #slabs: Buffer[] = [];
  readonly #given: Buffer[] = [];

  add(bytes: Buffer): void {
    this.#given.push(bytes);
    this.gatherer.add(bytes);
  }

  /** Everything is written, and nobody reads it any more. What is given back is poisoned. */
  write(): void {
    this.gatherer.flush();
    assert.deepEqual(Buffer.concat(this.#passed), Buffer.concat(this.#given));
    this.#passed.length = this.#given.length = 0;
    for (const slab of this.#slabs.splice(0)) recycle(slab.fill(0xee));
    this.gatherer.release();
  }
}

export function gatherProperty() {
  return fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const streams = [new Stream(), new Stream(), new Stream()];
    for (const done of steps) {
      const stream = streams[done.of]!;
      if (done.op === 'add') stream.add(Buffer.alloc(done.length, done.fill));
      else if (done.op === 'flush') stream.gatherer.flush();
      else stream.write();
    }
    for (const stream of streams) stream.write();
  });
}
