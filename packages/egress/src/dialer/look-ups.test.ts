import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { lookUpQueue as queue, lookUpsProperty, settled } from '../../../../test/support/look-ups-property.ts';
import { LookUps } from './look-ups.ts';

describe('the queue before the resolver', () => {
  test('leaves half of the look-ups to others, whatever one identity asks for', async () => {
    const { ask, started, finish } = queue({ atOnce: 4 });
    for (let n = 0; n < 400; n++) ask('mallory', `silent-${n}`);
    expect(started).toEqual(['silent-0', 'silent-1']);
    const alice = ask('alice', 'db');
    expect(started).toEqual(['silent-0', 'silent-1', 'db']);
    await finish('db');
    expect(alice.outcome).toBe('address of db');
    await finish('silent-0');
    expect(started).toEqual(['silent-0', 'silent-1', 'db', 'silent-2']);
  });

  test('leaves something even to the third, when two do what they can', () => {
    const { ask, lookUps } = queue({ atOnce: 32 });
    for (const owner of ['a', 'b', 'c']) for (let n = 0; n < 100; n++) ask(owner, `${owner}-${n}`);
    expect(['a', 'b', 'c'].map((owner) => lookUps.runningOf(owner))).toEqual([16, 8, 4]);
  });

  test('gives owners their turns one after the other', async () => {
    const { ask, started, finish } = queue({ atOnce: 2 });
    for (const host of ['a1', 'a2', 'a3']) ask('a', host);
    for (const host of ['b1', 'b2']) ask('b', host);
    ask('c', 'c1');
    for (const host of ['a1', 'b1', 'a2', 'b2', 'c1']) await finish(host);
    expect(started).toEqual(['a1', 'b1', 'a2', 'b2', 'c1', 'a3']);
  });

  test('looks up a name once for everybody who waits, at the turn of whoever comes first', async () => {
    const { ask, started, finish, lookUps } = queue({ atOnce: 2 });
    for (const host of ['m1', 'm2', 'm3', 'db']) ask('mallory', host);
    const alice = [ask('alice', 'db'), ask('alice', 'db')];
    expect(started).toEqual(['m1', 'db']);
    expect([lookUps.runningOf('alice'), lookUps.waiting]).toEqual([1, 2]);
    alice.push(ask('bob', 'db'));
    await finish('db');
    expect(alice.map(({ outcome }) => outcome)).toEqual(Array(3).fill('address of db'));
    expect(started).toEqual(['m1', 'db']);
  });

  test('drops a look-up when the last who waits for it leaves, and not before', async () => {
    const { ask, started, finish, lookUps } = queue({ atOnce: 2 });
    ask('a', 'first');
    const waiters = [ask('a', 'second'), ask('a', 'second')];
    waiters[0]!.leave();
    expect(lookUps.waiting).toBe(1);
    waiters[1]!.leave();
    expect(lookUps.waiting).toBe(0);
    await finish('first');
    expect([started, lookUps.owners]).toEqual([['first'], 0]);
  });

  test('counts a look-up that nobody waits for until it ends, and answers who asks meanwhile', async () => {
    const { ask, started, finish, lookUps } = queue({ atOnce: 2 });
    ask('a', 'silent').leave();
    ask('a', 'next');
    expect([lookUps.runningOf('a'), started]).toEqual([1, ['silent']]);
    const late = ask('b', 'silent');
    await finish('silent', new Error('EAI_AGAIN'));
    expect([late.outcome, started]).toEqual(['EAI_AGAIN', ['silent', 'next']]);
  });

  test('refuses what is more than its bounds: of one owner, and more than is free besides', async () => {
    const { ask, lookUps } = queue({ atOnce: 2, maxWaitingPerOwner: 3, maxWaiting: 7 });
    const full = async (owner: string): Promise<number> => {
      const asked = Array.from({ length: 6 }, (_, n) => ask(owner, `${owner}-${n}`));
      await settled();
      return asked.filter(({ outcome }) => outcome === 'full').length;
    };
    // a and b have one running each
    expect([await full('a'), await full('b'), await full('c')]).toEqual([2, 3, 5]);
    expect([lookUps.waiting, lookUps.running]).toEqual([6, 2]);
  });

  test('takes a resolver that throws for one that fails', async () => {
    const lookUps = new LookUps({
      atOnce: 2,
      lookUp: () => {
        throw new TypeError('broken');
      },
    });
    await expect(lookUps.of('a')('db', new AbortController().signal)).rejects.toThrow('broken');
    expect([lookUps.running, lookUps.waiting, lookUps.owners]).toEqual([0, 0, 0]);
  });

  test('holds shares, bounds and every waiter, whatever the order of asking, leaving and answering', async () => {
    await fc.assert(lookUpsProperty());
  });
});
