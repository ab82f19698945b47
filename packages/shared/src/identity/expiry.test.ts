import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { certificates } from '../../../../test/support/certificates.ts';
import { day } from '../../../../test/support/issuer.ts';
import { memoryLog } from '../../../../test/support/in-process.ts';
import { loadCredentials } from './credentials.ts';
import { endsSoon, ExpiryWatch, type Loaded, refuseStale } from './expiry.ts';
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

/** A watch over one certificate, which is valid for this many days. */
function watchedFor(days: number): { at: (daysBefore: number) => (string | number)[][]; loaded: Loaded } {
  const certs = certificates();
  const from = new Date(Math.floor(Date.now() / 1_000) * 1_000); // a certificate has whole seconds
  const until = new Date(from.getTime() + days * day);
  const credentials = loadCredentials({ ...certs.client('alice', { from, to: until }), role: 'client' });
  const { leaf } = credentials;
  const loaded = { credentials, revocation: undefined, shown: [{ what: 'certificate of --service-cert', leaf }] };
  const { log, lines } = memoryLog();
  let now = from;
  const watch = new ExpiryWatch({ loaded: () => loaded, log, now: () => now });
  let told = 0;
  return {
    loaded,
    at: (daysBefore) => {
      now = new Date(until.getTime() - daysBefore * day);
      watch.check();
      const fresh = lines.slice(told);
      told = lines.length;
      return fresh.map(({ level, what, hoursLeft }) => [level as string, what as string, hoursLeft as number]);
    },
  };
}

test.each([60, 365])('a certificate of %d days is warned of 14, 7 and 1 days before, and at its end', (days) => {
  const { at } = watchedFor(days);
  const both = (level: string, hours: number): unknown[] => [
    [level, 'certificate', hours],
    [level, 'certificate of --service-cert', hours],
  ];
  if (days === 60) {
    expect(at(14.01)).toEqual([]);
    expect(at(13.99)).toEqual(both('warn', 335));
  } else at(14.01);
  at(7.01);
  expect(at(6.99)).toEqual(both('warn', 167));
  at(1.01);
  expect(at(0.99)).toEqual(both('warn', 23));
  expect(at(0.5)).toEqual([]);
  expect(at(0)).toEqual(both('error', 0));
  expect(at(-0.1)).toEqual([]);
  expect(at(-1)).toHaveLength(2);
});

test('a certificate of a week is not about to expire when it is new', () => {
  const { at } = watchedFor(7);
  expect(at(7)).toEqual([]);
  expect(at(1.5)).toEqual([]);
  expect(at(1.3)).toHaveLength(2); // a fifth
  expect(at(0.9)).toHaveLength(2);
  expect(at(0).map(([level]) => level)).toEqual(['error', 'error']);
});

test('the end is said at once, and not at the next hour', async () => {
  const certs = certificates();
  // Not before a whole second, which is what a certificate can say.
  const until = new Date(Math.ceil(Date.now() / 1_000 + 1) * 1_000);
  const pair = certs.client('alice', { from: new Date(Date.now() - day), to: until });
  const credentials = loadCredentials({ ...pair, role: 'client' });
  const { log, until: said } = memoryLog();
  const stop = new AbortController();
  const hold = setInterval(() => {}, 1_000);
  new ExpiryWatch({ loaded: () => ({ credentials, revocation: undefined }), log }).start(stop.signal);
  expect(await said(({ level }) => level === 'error')).toMatchObject({ event: 'expiring', what: 'certificate' });
  expect(Date.now()).toBeGreaterThanOrEqual(until.getTime());
  clearInterval(hold);
  stop.abort();
});

test('a list that is out of date is refused by name, one that is not passes, and so does none', () => {
  const certs = certificates();
  const list = loadRevocationList(certs.revoke({}), loadTrustAnchors(certs.ca));
  refuseStale(undefined, undefined);
  refuseStale(list, 'ca.crl');
  expect(() => refuseStale(list, 'ca.crl', new Date(list.nextUpdate.getTime() + 1))).toThrow(
    expect.objectContaining({
      code: 'REVOCATION_STALE',
      message: expect.stringContaining('list ca.crl is out of date'),
    }),
  );
});
