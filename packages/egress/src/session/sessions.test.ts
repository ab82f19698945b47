import { createHmac, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { duplexPair, type Duplex } from 'node:stream';
import { expect, test } from '@jest/globals';
import type { Carrier } from '@adit/shared/carrier/contract';
import type { AditError } from '@adit/shared/errors';
import type { Position } from '@adit/shared/protocol/mux/lane';
import { encodeOpen } from '@adit/shared/protocol/open';
import { receiveHello, refuse } from '@adit/shared/session/accept';
import { type Connected, connectSession, type SessionSecret } from '@adit/shared/session/connect';
import { SessionDriver } from '@adit/shared/session/driver';
import { integer, newCa, newClient } from '../../../../test/support/issuer.ts';
import { echo } from '../../../../test/support/services.ts';
import {
  allowLoopback,
  memoryLog,
  testCarrier,
  testEgress,
  testSession,
  testStream,
  type TestEgress,
  type TestSession,
} from '../../../../test/support/in-process.ts';
import { testIngress } from '../../../../test/support/in-process-ingress.ts';
import { within } from '../../../../test/support/scope.ts';
import { loadDestinationTls } from '../backend/service-tls.ts';
import { Services } from '../backend/services.ts';
import { Limits } from '../limits.ts';
import { Policy } from '../policy/policy.ts';
import { Sessions } from './sessions.ts';

/** Attaches a new carrier as an ingress would that resumes; fails with the refusal. */
async function resume(
  egress: TestEgress,
  session: TestSession,
  options: { pair?: Parameters<typeof testCarrier>[1]; secret?: SessionSecret; epoch: number },
): Promise<void> {
  const carrier = await testCarrier(egress, options.pair ?? egress.certs.client('alice'));
  const { welcome, rest } = await connectSession(carrier, {
    window: 262_144,
    agent: 'test',
    deadlineMs: 30_000,
    resume: {
      ...(options.secret ?? session.connected.secret),
      epoch: options.epoch,
      position: session.driver.session.lane.position,
    },
  }).catch((error: unknown) => {
    carrier.duplex.destroy();
    throw error;
  });
  session.driver.attach(carrier, welcome.position, rest);
}

test('a session whose carrier died is resumed, with bytes that were under way', async () => {
  const egress = await testEgress();
  const to = await echo();
  const session = await testSession(egress, egress.certs.client('alice'));
  const stream = testStream(session, to.at);
  await stream.opened;
  const received: Buffer[] = [];
  let all!: () => void;
  const complete = new Promise<void>((resolve) => {
    all = resolve;
  });
  stream.stream.events = {
    ...stream.relay,
    opened() {},
    refused() {},
    end() {},
    reset() {},
    writable() {},
    data: (bytes) => {
      received.push(Buffer.from(bytes));
      if (Buffer.concat(received).length === 8) all();
    },
  };
  stream.stream.sendCopy(Buffer.from('half'));
  session.carrier.duplex.destroy();
  await session.lost;
  stream.stream.sendCopy(Buffer.from('more'));
  await resume(egress, session, { epoch: 1 });
  await within(30_000, 'the echo', complete);
  expect(Buffer.concat(received).toString()).toBe('halfmore');
  expect(egress.lines.filter((line) => line.event === 'connected' && line['resumed'] === true)).toHaveLength(1);
});

test('a new carrier takes the session over although the old one looks alive', async () => {
  const egress = await testEgress();
  const session = await testSession(egress, egress.certs.client('alice'));
  const old = session.carrier.duplex;
  await resume(egress, session, { epoch: 1 });
  if (!old.destroyed) await once(old, 'close');
  await testStream(session, (await echo()).at).opened;
});

test.each([
  ['another identity', (egress: TestEgress) => ({ pair: egress.certs.client('mallory'), epoch: 1 })],
  [
    'a wrong key',
    (_: TestEgress, session: TestSession) => ({
      secret: { id: session.connected.secret.id, key: Buffer.alloc(32, 7) },
      epoch: 1,
    }),
  ],
  [
    'an unknown session',
    (_: TestEgress, session: TestSession) => ({
      secret: { id: new Uint8Array(16).fill(9), key: session.connected.secret.key },
      epoch: 1,
    }),
  ],
  ['an epoch that was used', () => ({ epoch: 0 })],
])('resuming with %s fails with the same answer, and the session lives on', async (_what, how) => {
  const egress = await testEgress();
  const session = await testSession(egress, egress.certs.client('alice'));
  await expect(resume(egress, session, how(egress, session))).rejects.toMatchObject({
    code: 'NOT_RESUMABLE',
    message: 'the egress does not know this session',
  });
  expect(await egress.until((line) => line.event === 'denied')).toMatchObject({ code: 'NOT_RESUMABLE' });
  await testStream(session, (await echo()).at).opened;
});

test('at the limit, the session that was without a carrier for longest makes room', async () => {
  const egress = await testEgress({ maxSessionsPerIdentity: 2 });
  const alice = egress.certs.client('alice');
  const [first, second] = [await testSession(egress, alice), await testSession(egress, alice)];
  await expect(testSession(egress, alice)).rejects.toMatchObject({ code: 'LIMIT_SESSIONS' });
  first.carrier.duplex.destroy();
  await egress.until((line) => line.event === 'detached');
  await testSession(egress, alice);
  await expect(resume(egress, first, { epoch: 1 })).rejects.toMatchObject({ code: 'NOT_RESUMABLE' });
  await testStream(second, (await echo()).at).opened;
});

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

test('a drain refuses new streams, lets those open finish, and then ends', async () => {
  const egress = await testEgress();
  const to = await echo();
  const session = await testSession(egress, egress.certs.client('alice'));
  const stream = testStream(session, to.at);
  await stream.opened;
  const drained = egress.server.drain(new AbortController().signal);
  expect(await session.ended).toMatch(/goaway/);
  expect(await testStream(session, to.at).ended).toMatchObject({ end: 'refused', code: 53 });
  stream.relay.abort('NO_ERROR', 'done');
  await within(30_000, 'the drain', drained);
});

test.each(['before', 'after'])(
  'a session that loses its carrier %s the drain begins ends at once: nobody may attach any more',
  async (when) => {
    const egress = await testEgress();
    const to = await echo();
    const session = await testSession(egress, egress.certs.client('alice'));
    await testStream(session, to.at).opened;
    const lose = async (): Promise<void> => {
      session.carrier.duplex.destroy();
      await egress.until((line) => line.event === 'detached');
    };
    if (when === 'before') await lose();
    const drained = egress.server.drain(new AbortController().signal);
    if (when === 'after') await lose();
    await within(30_000, 'the drain', drained);
    expect(await egress.recorded()).toMatchObject({ end: 'cut', code: 'DRAINING' });
    await to.idle();
  },
);

test('a policy that is not valid changes nothing and says so', async () => {
  const egress = await testEgress();
  writeFileSync(egress.policyFile, 'version: 1\nrulez: []\n');
  expect(await egress.until((line) => line.event === 'reload-failed')).toMatchObject({ code: 'POLICY_INVALID' });
  await testStream(await testSession(egress, egress.certs.client('alice')), (await echo()).at).opened;
});

test('with a resume window of 0 nothing is kept: a lost carrier ends the session and resets its streams', async () => {
  const egress = await testEgress({ resumeWindowMs: 0 });
  const to = await echo();
  const session = await testSession(egress, egress.certs.client('alice'));
  expect(session.connected.welcome.features).toBe(0);
  await testStream(session, to.at).opened;
  session.carrier.duplex.destroy();
  expect(await egress.recorded()).toMatchObject({ end: 'lost', code: 'LINK_LOST' });
  await to.idle();
  await expect(resume(egress, session, { epoch: 1 })).rejects.toMatchObject({ code: 'NOT_RESUMABLE' });
});

test('a CA that is no longer trusted takes its sessions with it', async () => {
  const egress = await testEgress();
  const session = await testSession(egress, egress.certs.client('alice'));
  writeFileSync(egress.certs.ca, newCa('Another CA').certPem);
  expect(await within(30_000, 'the end of the session', session.ended)).toMatch(/no longer trusted/);
});

const only = (name: string): string =>
  `version: 1\nrules:\n  - name: ${name}\n    identities: [${name}]\n    allow: ["127.0.0.1:*"]\n`;

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
    await expect(resume(egress, waiting, { epoch: 1 })).rejects.toMatchObject({ code: 'IDENTITY_NOT_IN_POLICY' });
    await testStream(kept, to.at).opened;
    writeFileSync(egress.policyFile, allowLoopback);
    egress.server.reload('a test');
    await expect(resume(egress, waiting, { epoch: 2 })).rejects.toMatchObject({ code: 'NOT_RESUMABLE' });
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

/** Sessions without sockets: thousands of attachments a second. */
function inMemory(): {
  attach: (resume?: SessionSecret & { epoch: number; position: Position }) => Promise<Connected & { carrier: Carrier }>;
} {
  const leaf = new X509Certificate(newClient(newCa('Example CA'), { subject: 'alice' }).certPem);
  const identity = {
    name: 'alice',
    uri: 'spiffe://example.org/client/alice',
    trustDomain: 'example.org',
    groups: [],
    serial: '01',
    notAfter: leaf.validToDate,
    fingerprint256: leaf.fingerprint256,
    leaf,
  };
  const policy = Policy.parse(only('alice'), 'policy.yaml');
  const limits = { maxStreams: 1_000, maxStreamsPerIdentity: 1_000, maxSessionsPerIdentity: 1_000 };
  const { log } = memoryLog();
  const sessions = new Sessions({
    options: {
      ...limits,
      window: 262_144,
      maxReplayPerSession: 1 << 20,
      dialTimeoutMs: 1_000,
      idleTimeoutMs: 0,
      agent: 'test',
      resumeWindowMs: 60_000,
      maxDetachedPerIdentity: 4,
      maxReplayPerIdentity: 1 << 20,
      maxReplay: 1 << 20,
    },
    limits: new Limits(limits),
    policy: () => policy,
    services: new Services({
      log,
      destinationTls: () => loadDestinationTls({}),
      permitProbe: (service, backend, address) => policy.decideProbe(service, backend, address),
    }),
    log,
    record: () => {},
  });
  let count = 0;
  return {
    attach: async (resume) => {
      const secret = `${count++}`;
      const [near, far] = duplexPair();
      const wrap = (duplex: Duplex): Carrier => ({
        kind: 'tls',
        duplex: duplex.on('error', () => {
          /* told by close */
        }),
        remote: 'test',
        exportKey: (label, context) => createHmac('sha256', secret).update(label).update(context).digest(),
      });
      const connecting = connectSession(wrap(near), {
        window: 262_144,
        agent: 'test',
        deadlineMs: 30_000,
        ...(resume && { resume }),
      });
      const carrier = wrap(far);
      const full = sessions.attach(carrier, identity, await receiveHello(carrier, 30_000));
      if (full) void refuse(far, full);
      return { ...(await connecting), carrier: wrap(near) };
    },
  };
}

function clientDriver(): SessionDriver {
  return new SessionDriver(
    {
      role: 'client',
      resumable: true,
      receiveWindow: 262_144,
      sendWindow: 262_144,
      maxStreams: 0,
      replayLimitBytes: 1 << 20,
      pingAfterMs: 0,
      deadAfterMs: 60_000,
    },
    { opened: () => {}, goaway: () => {}, lost: () => {}, ended: () => {} },
  );
}

test('a session that moves something on each carrier is resumed as often as its carriers die', async () => {
  const { attach } = inMemory();
  const { secret, welcome, rest, carrier } = await attach();
  const driver = clientDriver();
  driver.attach(carrier, welcome.position, rest);
  for (let epoch = 1; epoch <= 300; epoch++) {
    const stream = driver.session.open(
      encodeOpen({ destination: { kind: 'host', host: '192.0.2.1', port: 1 }, frontEnd: 'forward' }),
    );
    await new Promise<void>((refused) => {
      stream.events = { opened() {}, refused: () => refused(), data() {}, end() {}, reset() {}, writable() {} };
    });
    driver.detach();
    const next = await attach({ ...secret, epoch, position: driver.session.lane.position });
    driver.attach(next.carrier, next.welcome.position, next.rest);
  }
  driver.detach();
});

test.each(['resumes that move nothing', 'resumes that fail', 'new sessions'])(
  '%s are limited to a rate',
  async (what) => {
    const { attach } = inMemory();
    const { secret } = await attach();
    const start = { offset: 0, partial: 0 };
    let passed = 0;
    const began = performance.now();
    for (let refused = ''; refused !== 'OVERLOAD'; passed++) {
      if (passed > 2_000) throw new Error('no limit');
      const resume = { ...secret, epoch: what === 'resumes that fail' ? 0 : passed + 1, position: start };
      refused = await attach(what === 'new sessions' ? undefined : resume).then(
        () => '',
        ({ code }: AditError) => code,
      );
    }
    expect(passed).toBeGreaterThanOrEqual(100);
    expect(passed).toBeLessThanOrEqual(101 + ((performance.now() - began) / 1_000) * 20);
  },
);
