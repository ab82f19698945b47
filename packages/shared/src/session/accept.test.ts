import { once } from 'node:events';
import { duplexPair } from 'node:stream';
import { expect, test } from '@jest/globals';
import { decodeRefuse } from '../protocol/refusal.ts';
import { receiveHello, refuse } from './accept.ts';

test('a refusal is one frame, then the end, and nothing that the peer says is kept', async () => {
  const [ours, theirs] = duplexPair();
  theirs.write('x'.repeat(1_000));
  const ended = once(theirs, 'end');
  const refused = refuse(ours, { code: 'DRAINING', reason: 'bye' });
  const [frame] = (await once(theirs, 'data')) as [Buffer];
  expect([frame[0], decodeRefuse(frame.subarray(8))]).toEqual([0xc2, { code: 53, reason: 'bye', retryAfterMs: 0 }]);
  await ended;
  theirs.end();
  await refused;
  expect([ours.destroyed, ours.readableLength]).toEqual([true, 0]);
});

test('a peer that does not close is not waited for', async () => {
  const [ours] = duplexPair();
  await refuse(ours, { code: 'DRAINING', reason: 'bye' });
  expect(ours.destroyed).toBe(true);
});

test('nothing is written to a connection that is gone', async () => {
  const [ours] = duplexPair();
  ours.destroy();
  await refuse(ours, { code: 'DRAINING', reason: 'bye' });
});

test('silence instead of HELLO ends at the deadline', async () => {
  const [ours] = duplexPair();
  await expect(
    receiveHello({ kind: 'tls', duplex: ours, remote: '192.0.2.1:5', exportKey: () => Buffer.alloc(32) }, 5),
  ).rejects.toMatchObject({ code: 'LINK_TIMEOUT', message: 'the ingress 192.0.2.1:5 said nothing for 0.005 s' });
});
