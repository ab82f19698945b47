import { expect, test } from '@jest/globals';
import { memoryLog } from '../../../../test/support/in-process.ts';
import { aliceInMemory } from '../../../../test/support/client-in-memory.ts';
import { DeniedLog, logDenied } from './denied.ts';

test('says where from, who, which session, the code, and the detail in place of the reason', () => {
  const { log, lines } = memoryLog();
  logDenied(log, {
    remote: '192.0.2.1:5',
    session: '8f3a01c2d4e5',
    identity: aliceInMemory(),
    refusal: { code: 'NOT_RESUMABLE', reason: 'the egress does not know this session', detail: 'no such session' },
    message: 'ended',
  });
  expect(lines).toEqual([
    {
      level: 'warn',
      time: expect.any(String),
      name: 'test',
      event: 'denied',
      remote: '192.0.2.1:5',
      session: '8f3a01c2d4e5',
      identity: 'spiffe://example.org/client/alice',
      code: 'NOT_RESUMABLE',
      reason: 'no such session',
      msg: 'ended',
    },
  ]);
});

test('says no more than is known', () => {
  const { log, lines } = memoryLog();
  logDenied(log, { remote: 'local', refusal: { code: 'CLIENT_CERT_MISSING', reason: 'it presented no certificate' } });
  expect(lines).toEqual([
    {
      level: 'warn',
      time: expect.any(String),
      name: 'test',
      event: 'denied',
      remote: 'local',
      code: 'CLIENT_CERT_MISSING',
      reason: 'it presented no certificate',
      msg: 'refused',
    },
  ]);
});

test('an identity that keeps coming back has one line at once, and one a second that counts', async () => {
  const { log, lines, until } = memoryLog();
  const denied = new DeniedLog(log);
  const identity = aliceInMemory();
  const refusal = { code: 'EXCESSIVE', reason: 'too many' } as const;
  for (let n = 0; n < 500; n++) denied.write({ remote: '192.0.2.1:5', identity, refusal });
  expect(lines).toEqual([expect.objectContaining({ code: 'EXCESSIVE', reason: 'too many', remote: '192.0.2.1:5' })]);
  await until(({ reason }) => reason === 'too many; 499 more attempts since the last line');
  // whoever else is denied, and whatever is ended, has its own line
  denied.write({ session: 'a', identity, refusal });
  denied.write({ remote: '192.0.2.1:5', identity, refusal: { code: 'REVOKED', reason: 'revoked' } });
  denied.write({ identity: { ...identity, uri: 'spiffe://example.org/client/bob' }, refusal });
  expect(lines).toHaveLength(5);
});
