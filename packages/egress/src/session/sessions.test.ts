import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { duplexPair, type Duplex } from 'node:stream';
import { expect, test } from '@jest/globals';
import type { Carrier } from '@adit/shared/carrier/contract';
import type { AditError } from '@adit/shared/errors';
import type { Position } from '@adit/shared/protocol/mux/lane';
import { encodeOpen } from '@adit/shared/protocol/open';
import { receiveHello, refuse } from '@adit/shared/session/accept';
import { type Connected, connectSession, type SessionSecret } from '@adit/shared/session/connect';
import { SessionDriver } from '@adit/shared/session/session-driver';
import { echo } from '../../../../test/support/services.ts';
import { memoryLog, testEgress, testResume, testSession, testStream } from '../../../../test/support/in-process.ts';
import { aliceInMemory, clientsInMemory } from '../../../../test/support/client-in-memory.ts';
import { within } from '../../../../test/support/scope.ts';
import { Sessions } from './sessions.ts';

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
  await testResume(egress, session, { epoch: 1 });
  await within(30_000, 'the echo', complete);
  expect(Buffer.concat(received).toString()).toBe('halfmore');
  expect(egress.lines.filter((line) => line.event === 'connected' && line['resumed'] === true)).toHaveLength(1);
});

test('a new carrier takes the session over although the old one looks alive', async () => {
  const egress = await testEgress();
  const session = await testSession(egress, egress.certs.client('alice'));
  const old = session.carrier.duplex;
  await testResume(egress, session, { epoch: 1 });
  if (!old.destroyed) await once(old, 'close');
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
  await expect(testResume(egress, first, { epoch: 1 })).rejects.toMatchObject({ code: 'NOT_RESUMABLE' });
  await testStream(second, (await echo()).at).opened;
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

test('with a resume window of 0 nothing is kept: a lost carrier ends the session and resets its streams', async () => {
  const egress = await testEgress({ resumeWindowMs: 0 });
  const to = await echo();
  const session = await testSession(egress, egress.certs.client('alice'));
  expect(session.connected.welcome.features).toBe(0);
  await testStream(session, to.at).opened;
  session.carrier.duplex.destroy();
  expect(await egress.recorded()).toMatchObject({ end: 'lost', code: 'LINK_LOST' });
  await to.idle();
  await expect(testResume(egress, session, { epoch: 1 })).rejects.toMatchObject({ code: 'NOT_RESUMABLE' });
});

/** Sessions without sockets: thousands of attachments a second. */
function inMemory(): {
  attach: (resume?: SessionSecret & { epoch: number; position: Position }) => Promise<Connected & { carrier: Carrier }>;
} {
  const identity = aliceInMemory();
  const { log } = memoryLog();
  const { clients } = clientsInMemory(log);
  const sessions = new Sessions({
    options: {
      maxStreamsPerIdentity: 1_000,
      window: 262_144,
      maxReplayPerSession: 1 << 20,
      maxLanesPerSession: 8,
      agent: 'test',
      resumeWindowMs: 60_000,
      maxDetachedPerIdentity: 4,
      maxReplayPerIdentity: 1 << 20,
      maxReplay: 1 << 20,
    },
    clients,
    log,
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
