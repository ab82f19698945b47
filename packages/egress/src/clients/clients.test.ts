import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { integer, newCa } from '../../../../test/support/issuer.ts';
import { closedPort, echo } from '../../../../test/support/services.ts';
import { allowLoopback, testEgress, testResume, testSession, testStream } from '../../../../test/support/in-process.ts';
import { testIngress } from '../../../../test/support/in-process-ingress.ts';
import { eventually, within } from '../../../../test/support/scope.ts';

const only = (name: string): string =>
  `version: 1\nrules:\n  - name: ${name}\n    identities: [${name}]\n    allow: ["127.0.0.1:*"]\n`;

test('a revocation ends the sessions of that certificate with the reason, and no other', async () => {
  const first = await testEgress();
  const { certs } = first;
  const [alice, bob] = [certs.client('alice'), certs.client('bob')];
  const crl = certs.revoke({});
  const egress = await testEgress({ certs, crl });
  const [revoked, kept] = [await testSession(egress, alice), await testSession(egress, bob)];
  certs.revoke({ serials: [integer(new X509Certificate(readFileSync(alice.cert)).serialNumber)] });
  expect(await within(30_000, 'the end of the session', revoked.ended)).toMatch(/revoked/);
  await testStream(kept, (await echo()).at).opened;
  await expect(testSession(egress, alice)).rejects.toMatchObject({ code: 'CLIENT_CERT_REVOKED' });
});

test('a drain serves what crosses its announcement, refuses what comes later, and ends with the last one', async () => {
  const egress = await testEgress();
  const to = await echo();
  const session = await testSession(egress, egress.certs.client('alice'));
  const stream = testStream(session, to.at);
  await stream.opened;
  const drained = egress.server.drain(new AbortController().signal);
  expect(await session.ended).toMatch(/goaway/);
  const crossing = testStream(session, to.at);
  await crossing.opened;
  const refused: unknown[] = [];
  await eventually('a refusal', () => {
    const late = testStream(session, to.at);
    void late.opened.then(() => late.relay.abort('NO_ERROR', 'done'));
    void late.ended.then(({ end, code }) => {
      if (end === 'refused') refused.push(code);
    });
    return refused.length > 0;
  });
  expect(refused[0]).toBe(53);
  for (const { relay } of [stream, crossing]) relay.abort('NO_ERROR', 'done');
  await within(30_000, 'the drain', drained);
});

test.each([60_000, 0])(
  'a drain with a resume window of %d ms does not end a session before streams that were under way have come',
  async (resumeWindowMs) => {
    const egress = await testEgress({ resumeWindowMs });
    const to = await echo();
    const session = await testSession(egress, egress.certs.client('alice'));
    const drained = egress.server.drain(new AbortController().signal);
    expect(await session.ended).toMatch(/goaway/);
    const crossing = testStream(session, to.at);
    await within(30_000, 'the stream', crossing.opened);
    crossing.relay.abort('NO_ERROR', 'done');
    await within(30_000, 'the drain', drained);
  },
);

test('a drain without clients ends, and one whose time is up cuts a session that may get streams', async () => {
  const alone = await testEgress();
  await alone.server.drain(new AbortController().signal);
  const egress = await testEgress({ drainTimeoutMs: 0 });
  const session = await testSession(egress, egress.certs.client('alice'));
  await egress.server.drain(new AbortController().signal);
  await eventually('CLOSE', () => session.driver.session.over);
});

test('a policy that is not valid changes nothing and says so', async () => {
  const egress = await testEgress();
  writeFileSync(egress.policyFile, 'version: 1\nrulez: []\n');
  expect(await egress.until((line) => line.event === 'reload-failed')).toMatchObject({ code: 'POLICY_INVALID' });
  await testStream(await testSession(egress, egress.certs.client('alice')), (await echo()).at).opened;
});

test('a CA that is no longer trusted takes its sessions with it', async () => {
  const egress = await testEgress();
  const session = await testSession(egress, egress.certs.client('alice'));
  writeFileSync(egress.certs.ca, newCa('Another CA').certPem);
  expect(await within(30_000, 'the end of the session', session.ended)).toMatch(/no longer trusted/);
});

test(
  'a policy that no longer names an identity ends its sessions, attached or waiting, with the reason, and no ' +
    'other',
  async () => {
    const egress = await testEgress();
    const to = await echo();
    const [alice, bob] = [egress.certs.client('alice'), egress.certs.client('bob')];
    const [attached, waiting, kept] = [
      await testSession(egress, alice),
      await testSession(egress, alice),
      await testSession(egress, bob),
    ];
    const [stream, other] = [testStream(attached, to.at), testStream(kept, to.at)];
    await Promise.all([stream.opened, other.opened]);
    waiting.carrier.duplex.destroy();
    await egress.until((line) => line.event === 'detached');
    writeFileSync(egress.policyFile, only('bob'));
    expect(await within(30_000, 'the end of the session', attached.ended)).toBe(
      'no rule names spiffe://example.org/client/alice or its groups',
    );
    expect(await egress.recorded()).toMatchObject({
      end: 'cut',
      code: 'IDENTITY_NOT_IN_POLICY',
      identity: 'spiffe://example.org/client/alice',
    });
    expect(
      egress.lines.filter((line) => line.event === 'denied' && line['code'] === 'IDENTITY_NOT_IN_POLICY'),
    ).toHaveLength(2);
    await expect(testResume(egress, waiting, { epoch: 1 })).rejects.toMatchObject({ code: 'IDENTITY_NOT_IN_POLICY' });
    await testStream(kept, to.at).opened;
    writeFileSync(egress.policyFile, allowLoopback);
    void egress.server.reload('a test');
    await expect(testResume(egress, waiting, { epoch: 2 })).rejects.toMatchObject({ code: 'NOT_RESUMABLE' });
  },
);

test('an ingress whose identity is taken out of the policy is denied for good', async () => {
  const egress = await testEgress();
  const ingress = await testIngress(egress, egress.certs.client('alice'), { to: '127.0.0.1:1' });
  await ingress.until((line) => line.event === 'connected');
  writeFileSync(egress.policyFile, only('bob'));
  expect(await within(30_000, 'the end of the ingress', ingress.running)).toMatchObject({
    code: 'IDENTITY_NOT_IN_POLICY',
    exitStatus: 4,
  });
});

describe('a client whose streams come to nothing', () => {
  const setUp = async (more: Parameters<typeof testEgress>[0] = {}) => {
    const egress = await testEgress({ maxFailedStreamsPerIdentity: 1, maxStreamsPerIdentity: 1_000, ...more });
    const mallory = egress.certs.client('mallory');
    return { egress, mallory, session: await testSession(egress, mallory) };
  };
  const tooMany = 21; // 20 at once, and one more

  test.each([
    ['are refused by the policy', '127.0.0.2:1'],
    ['are refused by their service', undefined],
  ])('is ended and sent away when too many %s; others stay', async (_what, destination) => {
    const { egress, mallory, session } = await setUp();
    const alice = await testSession(egress, egress.certs.client('alice'));
    const to = destination ?? `127.0.0.1:${await closedPort()}`;
    for (let n = 0; n < tooMany; n++) testStream(session, to);
    expect(await within(30_000, 'the end of the session', session.ended)).toMatch(/too many streams/);
    await expect(testSession(egress, mallory)).rejects.toMatchObject({ code: 'EXCESSIVE' });
    expect(await egress.until(({ event }) => event === 'denied')).toMatchObject({
      code: 'EXCESSIVE',
      identity: 'spiffe://example.org/client/mallory',
    });
    await testStream(alice, (await echo()).at).opened;
  });

  test('is ended when it takes back what it asked for', async () => {
    const { session } = await setUp();
    const { at } = await echo();
    for (let n = 0; n < tooMany; n++) testStream(session, at).stream.reset({ code: 0, reason: '' });
    expect(await within(30_000, 'the end of the session', session.ended)).toMatch(/too many streams/);
  });

  test('pays also for those that its session refuses by itself', async () => {
    const { session } = await setUp({ maxStreamsPerIdentity: 1, maxFailedStreamsPerIdentity: 15 });
    const { at } = await echo();
    for (let n = 0; n < 1 + 256 + 100; n++) testStream(session, at);
    expect(await within(30_000, 'the end of the session', session.ended)).toMatch(/too many streams/);
  });

  test('pays nothing for streams that were open', async () => {
    const { egress, session } = await setUp();
    const { at } = await echo();
    for (let n = 0; n < 3 * tooMany; n++) {
      const { stream, opened } = testStream(session, at);
      await opened;
      stream.reset({ code: 0, reason: '' });
    }
    expect(egress.lines.filter(({ event }) => event === 'denied')).toEqual([]);
    await testStream(session, at).opened;
  });
});
