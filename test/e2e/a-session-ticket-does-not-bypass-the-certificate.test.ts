import { expect, test } from '@jest/globals';
import { startEgress } from '../support/adit.ts';
import { certificates } from '../support/certificates.ts';
import { answerOf, tlsTo } from '../support/wire.ts';

test.each([
  ['no certificate', false],
  ['a good certificate', true],
])('a client with %s that brings back the TLS session it was given is judged afresh', async (_, good) => {
  const files = certificates();
  const { port } = await startEgress({ certificates: files });
  const alice = good ? files.client('alice') : undefined;
  const sessions: Buffer[] = [];
  const first = await tlsTo(port, files, alice);

  first.on('session', (session) => sessions.push(session));

  expect(await answerOf(first)).toBe(good ? 'welcome' : 'CLIENT_CERT_MISSING');
  first.destroy();
  // What OpenSSL still sends with tickets off refers to a cache that the egress does not keep.
  for (const session of [...sessions, undefined]) {
    const second = await tlsTo(port, files, undefined, session === undefined ? {} : { session });
    expect(second.isSessionReused()).toBe(false);
    expect(await answerOf(second)).toBe('CLIENT_CERT_MISSING');
  }
});

test('TLS 1.2, which resumes in other ways, is not spoken', async () => {
  const files = certificates();
  const { port } = await startEgress({ certificates: files });
  await expect(
    tlsTo(port, files, files.client('alice'), { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }),
  ).rejects.toMatchObject({ code: expect.stringMatching(/PROTOCOL_VERSION|ECONNRESET/) });
});
