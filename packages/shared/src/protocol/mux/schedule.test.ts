import { expect, test } from '@jest/globals';
import { TurnQueue } from './schedule.ts';

test('first come, first served; waiting twice is waiting once; who leaves is passed over', () => {
  const queue = new TurnQueue<string>();
  for (const one of ['a', 'b', 'a', 'c']) queue.wait(one);
  queue.leave('b');
  expect([queue.size, queue.next(), queue.next(), queue.next(), queue.size]).toEqual([2, 'a', 'c', undefined, 0]);
});
