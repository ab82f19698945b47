import { expect, test } from '@jest/globals';
import { MuxSession } from '../../packages/shared/src/protocol/mux/session.ts';
import { bulkLoad, openLoad, smallLoad, type Spent } from './exchange.ts';

function turns(turn: () => Spent, count: number): Spent {
  return Array.from({ length: count }, turn).reduce((sum, { bytes, count: more }) => ({
    bytes: sum.bytes + bytes,
    count: sum.count + more,
  }));
}

test('a bulk stream sends whole reads, turn after turn', () => {
  const { bytes, count } = turns(bulkLoad({ MuxSession }), 200);
  expect(count).toBeGreaterThan(200);
  expect(bytes).toBe(count * 65_528);
});
test('every one of many small streams sends in every turn', () => {
  expect(turns(smallLoad({ MuxSession }), 5_000)).toEqual({ bytes: 5_000 * 64 * 100, count: 5_000 * 64 });
});
test('streams that ask get their answer and are over', () => {
  const { bytes, count } = turns(openLoad({ MuxSession }), 1_000);
  expect(count).toBeGreaterThan(0.9 * 16 * 1_000);
  expect(bytes).toBe(3 * count);
});
test('sessions between which nothing moves are an error', () => {
  class Dumb extends MuxSession {
    override data(): void {} // no stream gets anything, so that no credit comes back
  }
  const turn = bulkLoad({ MuxSession: Dumb });
  expect(() => turns(turn, 1_000)).toThrow('nothing moves between the two sessions');
});
