import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { gatherProperty, pieceBytes } from '../../../../test/support/gather-property.ts';
import { Gatherer, keepable, slabBytes, smallBytes } from './gatherer.ts';
import { slabOf, SlabPool } from './slab.ts';

/** A gatherer, and what it passed on. */
function make() {
  const passed: Uint8Array[] = [];
  return { gatherer: new Gatherer((bytes) => passed.push(bytes)), passed };
}

/** The memory that these pieces hold. */
function heldBytes(pieces: readonly Uint8Array[]): number {
  const buffers = new Set(pieces.map(({ buffer }) => buffer));
  return [...buffers].reduce((sum, { byteLength }) => sum + byteLength, 0);
}

test('passes on a large piece that fills half of its chunk as the view that it is', () => {
  const { gatherer, passed } = make();
  const view = new Uint8Array(16_384).subarray(8, 8 + smallBytes);

  gatherer.add(view);

  expect(passed[0]).toBe(view);
});

test('copies a large piece out of a chunk more than twice its size', () => {
  const view = Buffer.alloc(32_768, 'x').subarray(8, 8 + 16_383);

  const kept = keepable(view);

  expect(Buffer.compare(kept, view)).toBe(0);
  expect(kept.buffer.byteLength).toBe(16_383);
});

test('leaves a record of bulk in its chunk while the socket drains, and copies it into a slab when it does not', () => {
  const { gatherer, passed } = make();
  const record = new Uint8Array(65_536).fill(7).subarray(0, 16_384);

  gatherer.add(record, true);
  gatherer.add(record);

  expect(passed[0]).toBe(record);
  expect([...new Set(passed[1])]).toEqual([7]);
  expect(passed.map(({ length }) => length)).toEqual([16_384, 16_384]);
  expect(passed[1]!.buffer.byteLength).toBe(slabBytes);
});

test('copies what waits out of a slab that is read into again; what drains stays there, with a lease', () => {
  const leases: unknown[] = [];
  const gatherer = new Gatherer((bytes, lease) => leases.push(lease === slabOf(bytes) && lease));
  const slab = new SlabPool({ slabBytes: 65_536, most: 1 }).take();

  gatherer.add(slab.bytes.subarray(0, 60_000));
  gatherer.add(slab.bytes.subarray(0, 60_000), true);

  expect(leases).toEqual([undefined, slab]);
  expect(keepable(slab.bytes).buffer).not.toBe(slab.bytes.buffer);
});

test('copies a piece of less than a fifth of its chunk, also while the socket drains', () => {
  const { gatherer, passed } = make();

  gatherer.add(new Uint8Array(65_536).subarray(0, 13_107), true);

  expect(passed[0]!.buffer.byteLength).toBe(slabBytes);
});

test('gathers small pieces, and passes them on before a large one', () => {
  const { gatherer, passed } = make();

  for (const text of ['a', 'bc', 'd']) gatherer.add(Buffer.from(text));
  expect([gatherer.waiting, passed.length]).toEqual([4, 0]);
  gatherer.add(new Uint8Array(smallBytes));

  expect(passed.map(({ length }) => length)).toEqual([4, smallBytes]);
  expect(Buffer.from(passed[0]!).toString()).toBe('abcd');
});

test('a slab that is full is passed on', () => {
  const { gatherer, passed } = make();

  for (let n = 0; n < slabBytes + 3; n++) gatherer.add(Uint8Array.of(n));

  expect(passed.map(({ length }) => length)).toEqual([slabBytes]);
  expect([...passed[0]!.subarray(250, 260)]).toEqual([250, 251, 252, 253, 254, 255, 0, 1, 2, 3]);
  expect(gatherer.waiting).toBe(3);
});

test('does not give its slab back while something is in it', () => {
  const [one, other] = [make(), make()];
  one.gatherer.add(Buffer.from('one'));

  one.gatherer.release();
  other.gatherer.add(Buffer.from('other'));

  expect(Buffer.from(one.gatherer.take()!).toString()).toBe('one');
  expect(Buffer.from(other.gatherer.take()!).toString()).toBe('other');
});

test('any pieces of several streams arrive exact, though slabs go from one stream to another', () => {
  fc.assert(gatherProperty());
});

test('however bytes are cut out of chunks, they hold twice themselves and a slab, in few objects', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(pieceBytes, fc.constantFrom(1, 2, 3, 1_000)), { maxLength: 200 }), (pieces) => {
      const { gatherer, passed } = make();
      let bytes = 0;
      for (const [length, ofChunk] of pieces) {
        gatherer.add(Buffer.alloc(Math.min(length * ofChunk, 1_000_000)).subarray(0, length));
        bytes += length;
      }
      gatherer.flush();

      expect(heldBytes(passed)).toBeLessThanOrEqual(2 * bytes + slabBytes);
      expect(passed.length).toBeLessThanOrEqual(bytes / (smallBytes / 2) + 2);
    }),
  );
});
