import { expect, test } from '@jest/globals';
import { echo } from '../../../../test/support/services.ts';
import {
  testEgress,
  testResume,
  testSession,
  testStream,
  type TestEgress,
  type TestSession,
} from '../../../../test/support/in-process.ts';

test.each([
  [
    'another identity',
    'the session belongs to spiffe://example.org/client/alice',
    (egress: TestEgress) => ({ pair: egress.certs.client('mallory'), epoch: 1 }),
  ],
  [
    'a wrong key',
    'the binder does not hold',
    (_: TestEgress, session: TestSession) => ({
      secret: { id: session.connected.secret.id, key: Buffer.alloc(32, 7) },
      epoch: 1,
    }),
  ],
  [
    'an unknown session',
    'no such session',
    (_: TestEgress, session: TestSession) => ({
      secret: { id: new Uint8Array(16).fill(9), key: session.connected.secret.key },
      epoch: 1,
    }),
  ],
  ['an epoch that was used', 'epoch 0 is not newer than 0', () => ({ epoch: 0 })],
])('resuming with %s fails with the same answer, and the session lives on', async (_what, reason, how) => {
  const egress = await testEgress();
  const session = await testSession(egress, egress.certs.client('alice'));
  await expect(testResume(egress, session, how(egress, session))).rejects.toMatchObject({
    code: 'NOT_RESUMABLE',
    message: 'the egress does not know this session',
  });
  expect(await egress.until((line) => line.event === 'denied')).toMatchObject({
    code: 'NOT_RESUMABLE',
    reason,
  });
  await testStream(session, (await echo()).at).opened;
});
