import { expect, test } from '@jest/globals';
import { dropFree, FreeList } from './free-list.ts';
import { SlabPool } from './slab.ts';

test('gives back what was put last, and keeps no more than it is told', () => {
  const list = new FreeList<number>({ most: 2 });
  for (const one of [1, 2, 3]) list.put(one);

  expect([list.take(), list.take(), list.take()]).toEqual([2, 1, undefined]);
});

test('all lists are emptied at once, and go on', () => {
  const pool = new SlabPool({ slabBytes: 1_024, most: 8 });
  const list = new FreeList<number>({ most: 2 });
  const slab = pool.take();
  slab.release();
  list.put(1);
  dropFree();

  expect(list.take()).toBeUndefined();
  const next = pool.take();
  expect(next).not.toBe(slab);
  next.release();
  expect(pool.take()).toBe(next);
});
