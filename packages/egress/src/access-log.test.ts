import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { expect, test } from '@jest/globals';
import type { AccessRecord } from '@adit/shared/observe/access-record';
import { memoryLog } from '../../../test/support/in-process.ts';
import { AccessLog } from './access-log.ts';

const refused: AccessRecord = {
  session: 'a',
  stream: 1,
  identity: 'spiffe://example.org/client/mallory',
  frontEnd: 'forward',
  requested: '127.0.0.1:1',
  verdict: 'deny',
  code: 'POLICY_DENIED',
  end: 'refused',
  bytesUp: 0,
  bytesDown: 0,
  durationMs: 1,
};
const finished: AccessRecord = { ...refused, verdict: 'allow', code: 'NO_ERROR', end: 'finished', dialMs: 1 };

function accessLog() {
  const { log, lines, until } = memoryLog();
  let now = 0;
  const count = (event: string): number => lines.filter((line) => line.event === event).length;
  return { access: new AccessLog(log, () => now), lines, until, count, tick: (ms: number) => (now += ms) };
}

test('of streams that came to nothing 1,000 at once have a record, the rest one line that counts them', () => {
  const { access, lines, count } = accessLog();
  for (let n = 0; n < 3_000; n++) access.record(n % 3 === 0 ? refused : { ...refused, code: 'PEER_GONE' });
  expect([count('stream'), count('streams')]).toEqual([1_000, 0]);
  access.flush();
  expect(count('streams')).toBe(1);
  expect(lines.at(-1)).toMatchObject({
    level: 'warn',
    event: 'streams',
    identity: refused.identity,
    streams: 2_000,
    codes: ['PEER_GONE 1334', 'POLICY_DENIED 666'],
  });
  access.flush();
  expect(count('streams')).toBe(1);
});

test('then a hundred a second have one again', () => {
  const { access, count, tick } = accessLog();
  for (let n = 0; n < 2_000; n++) access.record(refused);
  tick(1_000);
  for (let n = 0; n < 2_000; n++) access.record(refused);
  expect(count('stream')).toBe(1_100);
});

test('whoever floods has records of streams that reached their service, and others have all of theirs', () => {
  const { access, count } = accessLog();
  for (let n = 0; n < 2_000; n++) access.record(refused);
  for (let n = 0; n < 500; n++) access.record(finished);
  for (let n = 0; n < 500; n++) access.record({ ...refused, identity: 'spiffe://example.org/client/alice' });
  expect(count('stream')).toBe(2_000);
});

test('the sum is written by itself within a second or so', async () => {
  const { access, until } = accessLog();
  for (let n = 0; n < 1_001; n++) access.record(refused);
  expect(await until(({ event }) => event === 'streams')).toMatchObject({ streams: 1 });
});

test('every record is published', () => {
  const { access } = accessLog();
  const seen: unknown[] = [];
  const watch = (record: unknown): void => {
    seen.push(record);
  };
  subscribe('adit:stream', watch);
  for (let n = 0; n < 1_500; n++) access.record(refused);
  unsubscribe('adit:stream', watch);
  expect(seen).toHaveLength(1_500);
});
