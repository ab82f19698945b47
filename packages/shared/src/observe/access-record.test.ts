import { afterEach, describe, expect, test } from '@jest/globals';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { logStream, publishSession, publishStream, type AccessRecord, type SessionRecord } from './access-record.ts';
import { createLogger } from './logger.ts';

const record: AccessRecord = {
  session: '0a1b',
  stream: 3,
  identity: 'spiffe://example.org/client/alice',
  frontEnd: 'forward',
  requested: 'db.internal:5432',
  resolved: '10.0.0.5:5432',
  rule: 'developers',
  verdict: 'allow',
  end: 'finished',
  bytesUp: 1,
  bytesDown: 2,
  dialMs: 0.5,
  durationMs: 10,
};

let seen: unknown[] = [];
const watch = (message: unknown): void => {
  seen.push(message);
};
afterEach(() => {
  seen = [];
  unsubscribe('adit:stream', watch);
  unsubscribe('adit:session', watch);
});

describe('an access record', () => {
  test('is one log line with all of its fields', () => {
    let line = '';
    const log = createLogger({
      level: 'info',
      format: 'json',
      name: 'egress',
      destination: {
        write: (text) => {
          line += text;
        },
      },
    });
    logStream(log, record);
    expect(JSON.parse(line)).toEqual({
      level: 'info',
      time: expect.any(String),
      name: 'egress',
      event: 'stream',
      ...record,
    });
  });
  test('is a warning where the policy denied, and is there when only warnings are logged', () => {
    const lines: string[] = [];
    const log = createLogger({
      level: 'warn',
      format: 'json',
      name: 'egress',
      destination: { write: (text) => lines.push(text) },
    });
    logStream(log, record);
    logStream(log, { ...record, verdict: 'deny', code: 'POLICY_DENIED', end: 'refused' });
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      expect.objectContaining({ level: 'warn', event: 'stream', verdict: 'deny' }),
    ]);
  });
  test('is published as it is, whatever the log level, while somebody watches', () => {
    let line = '';
    const log = createLogger({
      level: 'error',
      format: 'json',
      name: 'egress',
      destination: {
        write: (text) => {
          line += text;
        },
      },
    });
    logStream(log, record);
    publishStream(record);
    subscribe('adit:stream', watch);
    publishStream(record);
    expect(seen).toEqual([record]);
    expect(line).toBe('');
  });
  test('costs little: the fields are formatted once', () => {
    let writes = 0;
    const log = createLogger({
      level: 'info',
      format: 'json',
      name: 'egress',
      destination: {
        write: () => {
          writes++;
        },
      },
    });
    for (let i = 0; i < 2_000; i++) logStream(log, record);
    const before = process.cpuUsage();
    for (let i = 0; i < 10_000; i++) logStream(log, record);
    const { user } = process.cpuUsage(before);
    expect(writes).toBe(12_000);
    // Measured 5 microseconds; the bound leaves room for a busy machine and still catches an accidental synchronous
    // write each.
    expect(user / 10_000).toBeLessThan(50);
  });
});

test('a session is published on its own channel', () => {
  const session: SessionRecord = {
    session: '0a1b',
    identity: 'spiffe://example.org/client/alice',
    peer: '192.0.2.1:5',
    state: 'opened',
  };
  publishSession(session);
  subscribe('adit:session', watch);
  publishSession(session);
  expect(seen).toEqual([session]);
});
