import { expect, test } from '@jest/globals';
import { wireOfCode } from '@adit/shared/errors';
import { loadCredentials } from '@adit/shared/identity/credentials';
import { connectSession } from '@adit/shared/session/connect';
import { testCarrier, testEgress, memoryLog } from '../../../../test/support/in-process.ts';
import { within } from '../../../../test/support/scope.ts';
import { LinkSession } from './link-session.ts';

async function attached(options: Parameters<typeof testEgress>[0] = {}): Promise<{
  session: LinkSession;
  released: Promise<void>;
  expired: Promise<LinkSession>;
  cut: () => void;
  egress: Awaited<ReturnType<typeof testEgress>>;
}> {
  const egress = await testEgress(options);
  const pair = egress.certs.client('alice');
  expect(loadCredentials({ cert: pair.cert, key: pair.key, role: 'client' }).summary).toContain('alice');
  const carrier = await testCarrier(egress, pair);
  const connected = await connectSession(carrier, { window: 262_144, agent: 'test', deadlineMs: 30_000 });
  let expire!: (session: LinkSession) => void;
  const expired = new Promise<LinkSession>((resolve) => {
    expire = resolve;
  });
  const session = new LinkSession(connected, {
    name: 'edge',
    lanes: 1,
    dialBeside: () => Promise.reject(new Error('there is one lane')),
    handshakeTimeoutMs: 30_000,
    agent: 'test',
    window: 262_144,
    replayLimitBytes: 1 << 20,
    log: memoryLog().log,
    doubted: () => {},
    answers: () => {},
    expired: expire,
  });
  const released = session.attach(carrier, connected.welcome.position, connected.rest);
  return {
    session,
    released,
    expired,
    cut: () => {
      carrier.duplex.destroy();
    },
    egress,
  };
}

test('a lost carrier releases the link and keeps the session, which waits', async () => {
  const { session, released, cut } = await attached();
  expect(session.usable).toBe(true);
  cut();
  await within(30_000, 'the release', released);
  expect([session.usable, session.over]).toEqual([false, false]);
  session.end('NO_ERROR', 'done');
});

test('a session that waits expires when the egress gives it up', async () => {
  const { session, released, expired, cut } = await attached({ resumeWindowMs: 1_000 });
  cut();
  await released;
  expect(await within(30_000, 'the expiry', expired)).toBe(session);
  session.end('RESUME_EXPIRED', 'done');
});

test('every attempt to resume is a new epoch, from the position of the lane', async () => {
  const { session } = await attached();
  const [one, two] = [session.nextAttempt(), session.nextAttempt()];
  expect([one.epoch, two.epoch]).toEqual([1, 2]);
  expect(one.position).toEqual(session.driver.session.lane.position);
  session.end('NO_ERROR', 'done');
});

test('a draining egress releases the link and leaves the session open', async () => {
  const { session, released, egress } = await attached();
  let resolve!: (code: number) => void;
  const promise = new Promise<number>((settle) => {
    resolve = settle;
  });
  const stream = session.driver.session.open(Uint8Array.of());
  stream.events = {
    opened() {},
    refused: ({ code }) => resolve(code),
    data() {},
    end() {},
    reset: ({ code }) => resolve(code),
    writable() {},
  };
  expect(await promise).toBe(wireOfCode('PROTOCOL_ERROR'));
  const drained = egress.server.drain(new AbortController().signal);
  await within(30_000, 'the release', released);
  expect([session.leaving, session.usable]).toEqual([true, false]);
  await drained;
});

test('an end is final, releases the link, and happens once', async () => {
  const { session, released } = await attached();
  session.end('LINK_LOST', 'first');
  session.end('LINK_LOST', 'second');
  await within(30_000, 'the release', released);
  expect([session.over, session.trouble]).toEqual([true, 'first']);
});
