import { createHmac } from 'node:crypto';
import { duplexPair, type Duplex } from 'node:stream';
import { expect, test } from '@jest/globals';
import type { Carrier } from '../carrier/contract.ts';
import { version, type Welcome } from '../protocol/hello.ts';
import { receiveHello, refuse, sendWelcome } from './accept.ts';
import { connectSession, RefusedError } from './connect.ts';
import { binderHolds, resumeKey } from './keys.ts';

/** Both ends of one carrier: the same secret, so the same exports. */
function carriers(secret = 'one'): [Carrier, Carrier] {
  const wrap = (duplex: Duplex): Carrier => ({
    kind: 'tls',
    duplex,
    remote: 'test',
    exportKey: (label, context) => createHmac('sha256', secret).update(label).update(context).digest(),
  });
  const [near, far] = duplexPair();
  return [wrap(near), wrap(far)];
}
const id = new Uint8Array(16).fill(5);
const welcome: Welcome = {
  version,
  kind: 'new',
  lane: 0,
  lanes: 1,
  features: 1,
  sessionId: id,
  epoch: 0,
  position: { offset: 0, partial: 0 },
  window: 262_144,
  maxStreams: 10,
  resumeTtlS: 300,
  agent: 'egress',
  instance: 'x',
};
const options = { window: 262_144, agent: 'test', deadlineMs: 30_000 };

test('a new session: both ends end up with the same secret, which never crossed the wire', async () => {
  const [ours, theirs] = carriers();
  const connecting = connectSession(ours, options);
  const { value } = await receiveHello(theirs, 5_000);
  expect(value.value).toMatchObject({ kind: 'new', agent: 'test', window: 262_144 });
  sendWelcome(theirs, welcome, resumeKey(theirs, id));
  theirs.duplex.write('rest');
  const { secret, rest } = await connecting;
  expect(secret.key.equals(resumeKey(theirs, id))).toBe(true);
  expect(['', 'rest']).toContain(Buffer.from(rest).toString());
});

test('a resume proves the key by its binder, on this carrier', async () => {
  const [ours, theirs] = carriers();
  const key = Buffer.alloc(32, 9);
  const connecting = connectSession(ours, {
    ...options,
    resume: { id, key, epoch: 3, position: { offset: 100, partial: 7 } },
  });
  const { value } = await receiveHello(theirs, 5_000);
  expect(value.value).toMatchObject({ kind: 'resume', epoch: 3, position: { offset: 100, partial: 7 } });
  expect(binderHolds({ key, side: 'client', carrier: theirs, covered: value.covered }, value.binder)).toBe(true);
  expect(binderHolds({ key, side: 'client', carrier: carriers('two')[0], covered: value.covered }, value.binder)).toBe(
    false,
  );
  sendWelcome(theirs, { ...welcome, kind: 'resume', epoch: 3 }, key);
  expect((await connecting).welcome.kind).toBe('resume');
});

test.each([
  ['a wrong key', welcome, Buffer.alloc(32, 1)],
  ['another session', { ...welcome, kind: 'resume' as const, sessionId: new Uint8Array(16) }, Buffer.alloc(32, 9)],
  ['another kind', welcome, Buffer.alloc(32, 9)],
])('an egress that answers a resume with %s is not believed', async (_what, answer, key) => {
  const [ours, theirs] = carriers();
  const connecting = connectSession(ours, {
    ...options,
    resume: { id, key: Buffer.alloc(32, 9), epoch: 1, position: { offset: 0, partial: 0 } },
  });
  const refused = expect(connecting).rejects.toMatchObject({ code: 'PROTOCOL_ERROR' });
  await receiveHello(theirs, 5_000);
  sendWelcome(theirs, answer, key);
  await refused;
});

test('a refusal arrives with its code, its words and its hint', async () => {
  const [ours, theirs] = carriers();
  const connecting = connectSession(ours, options);
  const refused = expect(connecting).rejects.toMatchObject({
    code: 'CLIENT_CERT_REVOKED',
    message: 'revoked last week',
    retryAfterMs: 7,
  });
  await refuse(theirs.duplex, { code: 'CLIENT_CERT_REVOKED', reason: 'revoked last week', retryAfterMs: 7 });
  await refused;
  expect(new RefusedError({ code: 9_999, reason: 'new', retryAfterMs: 0 }).code).toBe('INTERNAL');
});

test('silence, an end and garbage are told apart', async () => {
  await expect(connectSession(carriers()[0], { ...options, deadlineMs: 5 })).rejects.toMatchObject({
    code: 'LINK_TIMEOUT',
  });
  const [ending, gone] = carriers();
  gone.duplex.end();
  await expect(connectSession(ending, options)).rejects.toMatchObject({ code: 'LINK_LOST' });
  const [confused, web] = carriers();
  web.duplex.write('HTTP/1.1 400 Bad Request\r\n');
  await expect(connectSession(confused, options)).rejects.toMatchObject({ code: 'PROTOCOL_ERROR' });
});
