import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Detached, type DetachedOptions, type Keepable } from './detached.ts';

const options: DetachedOptions = {
  resumeWindowMs: 60_000,
  maxDetachedPerIdentity: 3,
  maxReplayPerIdentity: 1_000,
  maxReplay: 2_000,
};

function keeper(changes: Partial<DetachedOptions> = {}): { detached: Detached<Keepable>; given: [Keepable, string][] } {
  const given: [Keepable, string][] = [];
  return {
    detached: new Detached({ ...options, ...changes }, (session, { code }) => given.push([session, code])),
    given,
  };
}
const session = (owner: string, heldBytes = 1): { readonly owner: string; heldBytes: number } => ({ owner, heldBytes });

test('the fourth session of an identity pushes out the one that waited longest', () => {
  const { detached, given } = keeper();
  const sessions = [1, 2, 3, 4].map(() => session('alice'));
  detached.add(session('bob'));
  for (const one of sessions) detached.add(one);
  expect(given).toEqual([[sessions[0], 'OVERLOAD']]);
});

test('bytes count, for an identity and in all', () => {
  const { detached, given } = keeper();
  const [a, b, c, d] = [session('alice', 600), session('alice', 600), session('bob', 900), session('carol', 900)];
  for (const one of [a, b, c, d]) detached.add(one);
  expect(given).toEqual([
    [a, 'OVERLOAD'],
    [b, 'OVERLOAD'],
  ]);
});

test('a session that was resumed waits no longer', () => {
  const { detached, given } = keeper({ maxDetachedPerIdentity: 1 });
  const [first, second] = [session('alice'), session('alice')];
  detached.add(first);
  detached.remove(first);
  detached.add(second);
  expect([given, detached.size]).toEqual([[], 1]);
  expect(detached.makeRoom('alice')).toBe(true);
  expect(detached.makeRoom('alice')).toBe(false);
  expect(given).toEqual([[second, 'LIMIT_SESSIONS']]);
});

test('expires, with the reason', async () => {
  const expired = new Promise((resolve) => {
    new Detached<Keepable>({ ...options, resumeWindowMs: 5 }, (_, why) => resolve(why)).add(session('alice'));
    setTimeout(() => {}, 50);
  });
  expect(await expired).toEqual({ code: 'RESUME_EXPIRED', reason: 'not resumed within 5ms' });
});

test('bytes that come while a session waits count, and the one that waited longest goes, if it holds any', () => {
  const { detached, given } = keeper();
  const sessions = [session('alice', 0), session('alice', 400), session('alice', 400), session('bob', 400)];
  for (const one of sessions) detached.add(one);
  sessions[2]!.heldBytes = 700;
  detached.recount();
  expect(given).toEqual([[sessions[1], 'OVERLOAD']]);
  sessions[3]!.heldBytes = 900;
  sessions[2]!.heldBytes = 1_000;
  detached.recount();
  expect(given).toHaveLength(1);
  for (const one of sessions) detached.remove(one);
});

test('growth over all identities makes the one that waited longest give way, without anybody asking', async () => {
  const told = new Promise((resolve) => {
    const detached = new Detached<Keepable>({ ...options, maxReplay: 1_000 }, (one, why) => {
      resolve([one.owner, why]);
      for (const each of sessions) detached.remove(each);
    });
    const sessions = ['alice', 'bob', 'carol'].map((owner) => ({ owner, heldBytes: 300 }));
    for (const one of sessions) detached.add(one);
    sessions[1]!.heldBytes = 500;
  });
  const hold = setInterval(() => {}, 1_000); // its own timers never keep the process alive
  expect(await told.finally(() => clearInterval(hold))).toEqual([
    'alice',
    { code: 'OVERLOAD', reason: 'the waiting sessions hold 1100 bytes, more than 1000' },
  ]);
});

test('whatever comes and goes, the bounds hold and each session is given up at most once', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          owner: fc.constantFrom('a', 'b', 'c'),
          bytes: fc.nat(700),
          grows: fc.nat(700),
          leaves: fc.boolean(),
        }),
        { maxLength: 40 },
      ),
      (steps) => {
        const { detached, given } = keeper();
        const here = new Set<Keepable>();
        for (const { owner, bytes, grows, leaves } of steps) {
          const one = session(owner, bytes);
          detached.add(one);
          here.add(one);
          if (leaves) {
            detached.remove(one);
            here.delete(one);
          }
          one.heldBytes += grows;
          detached.recount();
          for (const [gone] of given) here.delete(gone);
          expect(detached.size).toBe(here.size);
          expect([...here].reduce((sum, { heldBytes }) => sum + heldBytes, 0)).toBeLessThanOrEqual(2_000);
          for (const who of ['a', 'b', 'c'])
            expect([...here].filter((each) => each.owner === who).length).toBeLessThanOrEqual(3);
        }
        expect(new Set(given.map(([gone]) => gone)).size).toBe(given.length);
        for (const one of here) detached.remove(one);
      },
    ),
  );
});
