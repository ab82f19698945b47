import { expect, test } from '@jest/globals';
import { poisonReleased, slabOf, SlabPool } from './slab.ts';

test('a slab goes back when its last holder released it, and is overwritten then in tests', () => {
  poisonReleased();
  const pool = new SlabPool({ slabBytes: 1_024, most: 1 });
  const slab = pool.take();
  const kept = slab.bytes.subarray(3, 5).fill('k');
  const lease = slabOf(kept)!.retain();

  slab.release();
  expect(pool.take()).not.toBe(slab);
  expect(kept.toString()).toBe('kk');
  lease.release();

  expect(pool.take()).toBe(slab);
  expect([...kept]).toEqual([0xdb, 0xdb]);
});

test('a release too many is an error, where it happens', () => {
  const slab = new SlabPool({ slabBytes: 1_024, most: 1 }).take();
  slab.release();

  expect(() => slab.release()).toThrow('once too often');
});

test('keeps no more free slabs than it is told', () => {
  const pool = new SlabPool({ slabBytes: 1_024, most: 1 });
  const [one, other] = [pool.take(), pool.take()];
  one.release();
  other.release();

  expect(pool.take()).toBe(one);
  expect(pool.take()).not.toBe(other);
});

test('memory of others lies in no slab', () => {
  expect(slabOf(Buffer.alloc(8))).toBeUndefined();
});
