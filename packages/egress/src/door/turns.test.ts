import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Turns } from './turns.ts';

/** Turns with a clock and an event loop of the test's own. */
function simulated({ budgetMs = 4, perTurn = 4, costMs = 1 } = {}): {
  readonly turns: Turns;
  readonly begun: string[];
  take(source: string, name?: string): () => void;
  turn(): void;
} {
  let [nowMs, next] = [0, (): void => {}];
  const begun: string[] = [];
  const turns = new Turns({
    budgetMs,
    perTurn,
    now: () => nowMs,
    nextTurn: (begin) => {
      next = begin;
    },
  });
  return {
    turns,
    begun,
    take: (source, name = source) =>
      turns.take(source, () => {
        begun.push(name);
        nowMs += costMs;
      }),
    turn: () => {
      const now = next;
      next = () => {};
      now();
    },
  };
}

test('while the loop is idle a handshake begins at once', () => {
  const { begun, take, turn } = simulated();
  for (let n = 0; n < 3; n++) {
    take('a');
    turn();
  }
  expect(begun).toEqual(['a', 'a', 'a']);
});

test('what is too much for one turn goes on in the next, one of each source after the other', () => {
  const { begun, take, turn } = simulated({ perTurn: 2 });
  for (const source of ['a', 'a', 'a', 'a', 'a', 'a', 'b', 'c']) take(source);
  expect(begun).toEqual(['a', 'a']);
  turn();
  expect(begun.slice(2)).toEqual(['a', 'b']);
  turn();
  expect(begun.slice(4)).toEqual(['c', 'a']);
  turn();
  expect(begun.slice(6)).toEqual(['a', 'a']);
});

test('a newcomer does not overtake those who wait', () => {
  const { begun, take, turn } = simulated({ perTurn: 1 });
  take('a', 'first');
  take('a', 'second');
  turn();
  take('b', 'third');
  turn();
  expect(begun).toEqual(['first', 'second', 'third']);
});

test('handshakes that take long end the turn', () => {
  const { begun, take, turn } = simulated({ budgetMs: 4, costMs: 3 });
  for (let n = 0; n < 5; n++) take('a');
  expect(begun).toHaveLength(2);
  turn();
  expect(begun).toHaveLength(4);
});

test('one that is taken back does not begin, and leaves nothing', () => {
  const { turns, begun, take, turn } = simulated({ perTurn: 1 });
  take('a', 'begins');
  const takeBack = take('b', 'is gone');
  expect(turns.sources).toBe(1);
  takeBack();
  takeBack();
  expect(turns.sources).toBe(0);
  turn();
  expect(begun).toEqual(['begins']);
});

test('each begins once or was taken back, and a source waits for no more than one handshake of each other one', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(4), { maxLength: 60 }), fc.integer({ min: 1, max: 5 }), (sources, perTurn) => {
      const { begun, take, turn } = simulated({ perTurn });
      for (const source of sources) take(`source ${source}`);
      for (let n = 0; n < sources.length; n++) turn();
      expect(begun.toSorted()).toEqual(sources.map((source) => `source ${source}`).toSorted());
      const waited = begun.slice(perTurn);
      for (const [at, source] of waited.entries()) {
        const next = waited.indexOf(source, at + 1);
        const between = next === -1 ? [] : waited.slice(at + 1, next);
        expect(new Set(between).size).toBe(between.length);
      }
    }),
  );
});
