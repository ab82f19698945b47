import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Refusal } from '@adit/shared/errors';
import { Limits, type Lease } from './limits.ts';

const small = { maxStreams: 5, maxStreamsPerIdentity: 3, maxSessionsPerIdentity: 2, maxFailedStreamsPerIdentity: 500 };

test('a limit of one identity does not touch another', () => {
  const limits = new Limits(small);
  for (let n = 0; n < 3; n++) expect(limits.stream('alice')).toHaveProperty('release');
  expect(limits.stream('alice')).toMatchObject({ code: 'LIMIT_STREAMS' });
  expect(limits.stream('bob')).toHaveProperty('release');
});

test('the total is said as overload', () => {
  const limits = new Limits(small);
  for (const who of ['a', 'b', 'c', 'd', 'e']) limits.stream(who);
  expect(limits.stream('f')).toMatchObject({ code: 'OVERLOAD' });
});

test('sessions have a limit of their own', () => {
  const limits = new Limits(small);
  limits.session('alice');
  limits.session('alice');
  expect(limits.session('alice')).toMatchObject({ code: 'LIMIT_SESSIONS' });
});

test('further lanes are as many as sessions may be, and no sessions', () => {
  const limits = new Limits(small);
  const first = limits.lane('alice') as Lease;
  limits.lane('alice');
  expect(limits.lane('alice')).toMatchObject({ code: 'LIMIT_SESSIONS' });
  expect(limits.session('alice')).toHaveProperty('release');
  first.release();
  expect(limits.lane('alice')).toHaveProperty('release');
});

test('any order of taking and giving back, twice too, keeps the counts right and leaves nothing behind', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          who: fc.constantFrom('a', 'b'),
          what: fc.constantFrom('stream', 'session', 'lane', 'release'),
          which: fc.nat(20),
        }),
        { maxLength: 60 },
      ),
      (operations) => {
        const limits = new Limits(small);
        const held: { lease: Lease; stream: boolean; free: boolean }[] = [];
        for (const { who, what, which } of operations) {
          if (what === 'release') {
            const one = held[which % Math.max(1, held.length)];
            one?.lease.release();
            if (one) one.free = true;
          } else {
            const lease: Lease | Refusal = limits[what](who);
            if ('release' in lease) held.push({ lease, stream: what === 'stream', free: false });
          }
          expect(limits.streams).toBe(held.filter((one) => one.stream && !one.free).length);
        }
        for (const { lease } of held) lease.release();
        expect([limits.streams, limits.identities]).toEqual([0, 0]);
      },
    ),
  );
});
