import { expect, test } from '@jest/globals';
import { TurnBudget } from './turn-budget.ts';

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('what is spent is back in the next turn, and not before', async () => {
  const turns = new TurnBudget();
  const whole = { ...turns.left };
  turns.left.frames -= 1_000;
  turns.left.bytes = -1;
  await Promise.resolve();
  expect(turns.left).toEqual({ frames: whole.frames - 1_000, bytes: -1 });
  await nextTurn();
  expect(turns.left).toEqual(whole);
});

test('those that wait have their turns one after the other, each time one budget', async () => {
  const turns = new TurnBudget();
  const done: string[] = [];
  /** Needs so many whole budgets. */
  const work = (name: string, budgets: number): void => {
    done.push(name);
    turns.left.frames = 0;
    if (budgets > 1) turns.wait(() => work(name, budgets - 1));
  };
  turns.left.bytes = 0;
  for (const name of ['a', 'b', 'c']) turns.wait(() => work(name, 2));
  expect(done).toEqual([]);
  for (let turn = 1; done.length < 6; turn++) {
    await nextTurn();
    expect(done.length).toBeLessThanOrEqual(turn);
  }
  expect(done).toEqual(['a', 'b', 'c', 'a', 'b', 'c']);
});

test('a budget that is not spent lets all go on that wait', async () => {
  const turns = new TurnBudget();
  const done: string[] = [];
  for (const name of ['a', 'b']) turns.wait(() => done.push(name));
  await nextTurn();
  expect(done).toEqual(['a', 'b']);
});
