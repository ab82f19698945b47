import { once } from 'node:events';
import { duplexPair } from 'node:stream';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readCarrier, SlabReads } from './carrier-reads.ts';
import { smallBytes } from './gatherer.ts';
import { poisonReleased, type Slab, slabOf } from './slab.ts';

poisonReleased();
const record = 16_384;

/** Reads whose pieces are kept as a relay keeps them. */
function reader() {
  const kept: { readonly bytes: Uint8Array; readonly slab: Slab | undefined }[] = [];
  const reads = new SlabReads((bytes) => {
    const slab = bytes.length >= smallBytes ? slabOf(bytes)!.retain() : undefined;
    kept.push({ bytes: slab ? bytes : Uint8Array.from(bytes), slab });
  });
  /** As TLS does: fills the buffer it was given last, calls back, and asks for the next. */
  let buffer = reads.next();
  const arrive = (length: number, fill: number): Buffer => {
    const into = buffer;
    into.fill(fill, 0, length);
    reads.arrived(length);
    buffer = reads.next();
    return into;
  };
  const release = (): void => {
    for (const { slab } of kept.splice(0)) slab?.release();
  };
  return { reads, kept, arrive, release };
}

test('four records share a slab, and the next is read into another', () => {
  const { reads, kept, arrive, release } = reader();
  for (let n = 0; n < 5; n++) arrive(record, n);

  expect(new Set(kept.slice(0, 4).map(({ slab }) => slab)).size).toBe(1);
  expect(kept[4]!.slab).not.toBe(kept[3]!.slab);
  expect(kept.every(({ bytes }, n) => bytes.every((byte) => byte === n))).toBe(true);
  release();
  reads.close();
});

test('small reads of all carriers share one buffer, also those after bulk', () => {
  const [one, other] = [reader(), reader()];
  const shared = one.arrive(10, 1);
  expect(other.arrive(10, 2)).toBe(shared);

  one.arrive(record, 3);
  expect(one.arrive(10, 4)).not.toBe(shared);
  for (let n = 0; n < 7; n++) one.arrive(10, 4);

  expect(one.arrive(10, 5)).toBe(shared);
  one.release();
});

test('a slab that somebody holds is not read into again, and one that nobody holds is', () => {
  const first = reader();
  first.arrive(record, 1);
  const { slab } = first.kept[0]!;
  first.reads.close();

  const second = reader();
  second.arrive(record, 2);
  expect(second.kept[0]!.slab).not.toBe(slab);
  second.release();
  second.reads.close();
  first.release();

  const third = reader();
  third.arrive(record, 3);
  expect(third.kept[0]!.slab).toBe(slab);
  third.release();
  third.reads.close();
});

test('whatever is kept and released when, kept bytes never change', () => {
  const step = fc.record({
    who: fc.nat(2),
    length: fc.oneof(fc.constant(record), fc.integer({ min: 1, max: record })),
    releases: fc.boolean(),
    closes: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const readers = [reader(), reader(), reader()];
      const given = [[], [], []] as number[][];
      const check = (who: number): void => {
        for (const [at, { bytes }] of readers[who]!.kept.entries())
          expect(bytes.every((byte) => byte === given[who]![at])).toBe(true);
      };
      steps.forEach(({ who, length, releases, closes }, n) => {
        readers[who]!.arrive(length, n);
        given[who]!.push(n);
        check((who + 1) % 3);
        if (releases || closes) {
          check(who);
          readers[who]!.release();
          given[who] = [];
        }
        if (!closes) return;
        readers[who]!.reads.close();
        readers[who] = reader();
      });
      for (const who of [0, 1, 2]) {
        check(who);
        readers[who]!.release();
        readers[who]!.reads.close();
      }
    }),
  );
});

test('what is no TLS socket is read by its events, in order', async () => {
  const [near, far] = duplexPair();
  far.write('hello');
  await new Promise(setImmediate);
  const got: Buffer[] = [];

  expect(readCarrier(near, (bytes) => got.push(Buffer.from(bytes)))).toHaveLength(0);
  near.resume();
  far.end(' there');
  await once(near, 'end');

  expect(Buffer.concat(got).toString()).toBe('hello there');
});
