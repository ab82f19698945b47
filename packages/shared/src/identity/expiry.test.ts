import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { certificates } from '../../../../test/support/certificates.ts';
import { day } from '../../../../test/support/issuer.ts';
import { memoryLog } from '../../../../test/support/in-process.ts';
import { loadCredentials } from './credentials.ts';
import { endsSoon, ExpiryWatch } from './expiry.ts';
import { loadRevocationList } from './revocation.ts';
import { loadTrustAnchors } from './trust.ts';

function watched(): {
  watch: ExpiryWatch;
  lines: () => unknown[][];
  passes: (days: number) => void;
  stop: AbortController;
  until: ReturnType<typeof memoryLog>['until'];
} {
  const certs = certificates();
  const start = new Date();
  const pair = certs.client('alice', {
    from: new Date(start.getTime() - 80 * day),
    to: new Date(start.getTime() + 22 * day),
  });
  const crl = certs.revoke({
    thisUpdate: new Date(start.getTime() - 80 * day),
    nextUpdate: new Date(start.getTime() + 21 * day),
  });
  const loaded = {
    credentials: loadCredentials({ ...pair, role: 'client' }),
    revocation: loadRevocationList(crl, loadTrustAnchors(certs.ca)),
  };
  const { log, lines, until } = memoryLog();
  let now = start;
  return {
    watch: new ExpiryWatch({ loaded: () => loaded, log, now: () => now, everyMs: 1 }),
    stop: new AbortController(),
    until,
    passes: (days) => {
      now = new Date(start.getTime() + days * day);
    },
    lines: () => lines.map(({ event, what, hoursLeft, level }) => [level, event, what, hoursLeft]),
  };
}

test('the last fifth of the time gives one line a day, also after it has expired; before, none', () => {
  const { watch, lines, passes } = watched();
  watch.check();
  expect(lines()).toEqual([]);
  passes(1.01);
  watch.check();
  expect(lines()).toEqual([['warn', 'expiring', 'revocation list', 479]]);
  passes(1.9);
  watch.check();
  expect(lines().slice(1)).toEqual([['warn', 'expiring', 'certificate', 482]]);
  passes(2.02);
  watch.check();
  expect(lines().slice(2)).toEqual([['warn', 'expiring', 'revocation list', 455]]);
  passes(30);
  watch.check();
  expect(
    lines()
      .slice(3)
      .map(([, , what, hours]) => [what, (hours as number) < 0]),
  ).toEqual([
    ['certificate', true],
    ['revocation list', true],
  ]);
});

test('it checks by itself', async () => {
  const { watch, passes, stop, until } = watched();
  const hold = setInterval(() => {}, 1_000); // its own timer never keeps the process alive
  watch.start(stop.signal);
  passes(5);
  await until(({ event }) => event === 'expiring');
  clearInterval(hold);
  stop.abort();
});

test('it is said at the start and again after a reload', () => {
  const { watch, lines, passes, stop } = watched();
  passes(5);
  watch.start(stop.signal);
  watch.reloaded();
  expect(lines().map(([, , what]) => what)).toEqual([
    'certificate',
    'revocation list',
    'certificate',
    'revocation list',
  ]);
  stop.abort();
});

test('a fifth is a fifth, whatever the time is', () => {
  fc.assert(
    fc.property(fc.integer({ min: 5, max: 1e9 }), fc.integer({ min: 0, max: 1e9 }), (length, at) => {
      expect(endsSoon(new Date(0), new Date(length), new Date(at))).toBe(at > length * 0.8);
    }),
  );
});
