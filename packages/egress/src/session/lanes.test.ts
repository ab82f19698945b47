import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { echo } from '../../../../test/support/services.ts';
import {
  testEgress,
  type TestEgress,
  testLane,
  testResume,
  testSession,
  type TestSession,
  testStream,
} from '../../../../test/support/in-process.ts';
import { newCa } from '../../../../test/support/issuer.ts';
import { eventually, within } from '../../../../test/support/scope.ts';

describe('a further lane', () => {
  test.each([
    [
      'another identity',
      'the session belongs to spiffe://example.org/client/alice',
      (egress: TestEgress) => ({ pair: egress.certs.client('mallory'), lane: 1 }),
    ],
    [
      'a wrong key',
      'the binder does not hold',
      (_: TestEgress, session: TestSession) => ({
        secret: { id: session.connected.secret.id, key: Buffer.alloc(32, 7) },
        lane: 1,
      }),
    ],
    [
      'an unknown session',
      'no such session',
      (_: TestEgress, session: TestSession) => ({
        secret: { id: new Uint8Array(16).fill(9), key: session.connected.secret.key },
        lane: 1,
      }),
    ],
    ['a number that was not agreed on', 'lane 4 is beyond the 4 that were agreed on', () => ({ lane: 4 })],
    ['a number that there is', 'lane 2 is there already', () => ({ lane: 2 })],
  ])('with %s is refused with the answer of a resume, and the session lives on', async (_what, reason, how) => {
    const egress = await testEgress({ maxLanesPerSession: 4 });
    const session = await testSession(egress, egress.certs.client('alice'), { lanes: true });
    await testLane(egress, session, { lane: 2 });
    await expect(testLane(egress, session, how(egress, session))).rejects.toMatchObject({
      code: 'NOT_RESUMABLE',
      message: 'the egress does not know this session',
    });
    expect(await egress.until((line) => line.event === 'denied')).toMatchObject({ code: 'NOT_RESUMABLE', reason });
    await testStream(session, (await echo()).at).opened;
  });

  test('carries streams, and what it had under way when it dies goes on on the first', async () => {
    const egress = await testEgress();
    const session = await testSession(egress, egress.certs.client('alice'), { lanes: true });
    const carrier = await testLane(egress, session, { lane: 1 });
    const { stream, opened } = testStream(session, (await echo()).at);
    await opened;
    const back: Buffer[] = [];
    stream.events = {
      ...stream.events,
      opened() {},
      refused() {},
      end() {},
      reset() {},
      writable() {},
      data: (bytes) => back.push(Buffer.from(bytes)),
    };
    stream.moveTo(session.driver.session.lanes.of(1)!);
    stream.sendCopy(Buffer.from('over lane 1, '));
    await eventually('it happens', () => Buffer.concat(back).includes('lane 1'));
    stream.sendCopy(Buffer.from('and the rest'));
    carrier.duplex.destroy();
    await eventually('it happens', () => Buffer.concat(back).toString() === 'over lane 1, and the rest');
    expect(await egress.until((line) => line.event === 'lane' && line['state'] === 'closed')).toMatchObject({
      lane: 1,
    });
    await eventually('it happens', () => session.driver.session.lanes.of(1) === undefined);
    await testLane(egress, session, { lane: 1 });
  });

  test('takes a place of its identity, beside sessions, and gives it back', async () => {
    const egress = await testEgress({ maxSessionsPerIdentity: 1 });
    const session = await testSession(egress, egress.certs.client('alice'), { lanes: true });
    await testLane(egress, session, { lane: 1 });
    await expect(testLane(egress, session, { lane: 2 })).rejects.toMatchObject({ code: 'LIMIT_SESSIONS' });
    session.driver.closeLane(1);
    await egress.until((line) => line.event === 'lane' && line['state'] === 'closed');
    await testLane(egress, session, { lane: 2 });
  });

  test('ends with its session, and so does its place', async () => {
    const egress = await testEgress({ maxSessionsPerIdentity: 1 });
    const session = await testSession(egress, egress.certs.client('alice'), { lanes: true });
    const carrier = await testLane(egress, session, { lane: 1 });
    const gone = once(carrier.duplex, 'close');
    egress.server.close();
    await session.ended;
    await gone;
  });

  test('of an identity whose CA is no longer trusted is gone with its session', async () => {
    const egress = await testEgress();
    const session = await testSession(egress, egress.certs.client('alice'), { lanes: true });
    const carrier = await testLane(egress, session, { lane: 1 });
    const gone = once(carrier.duplex, 'close');
    writeFileSync(egress.certs.ca, newCa('Another CA').certPem);
    expect(await within(30_000, 'the end of the session', session.ended)).toMatch(/no longer trusted/);
    await within(30_000, 'the end of the lane', gone);
  });

  test('of an egress that drains carries what is open to its end, and no other is added', async () => {
    const egress = await testEgress();
    const session = await testSession(egress, egress.certs.client('alice'), { lanes: true });
    await testLane(egress, session, { lane: 1 });
    const open = testStream(session, (await echo()).at);
    await open.opened;
    open.stream.moveTo(session.driver.session.lanes.of(1)!);
    await eventually('the move', () => open.stream.lane === session.driver.session.lanes.of(1));
    const drained = egress.server.drain(new AbortController().signal);
    expect(await session.ended).toMatch(/goaway/);
    await expect(testLane(egress, session, { lane: 2 })).rejects.toMatchObject({
      code: 'EGRESS_UNREACHABLE',
    });
    expect(open.stream.dead).toBe(false);
    open.relay.abort('NO_ERROR', 'done');
    await within(30_000, 'the drain', drained);
  });

  test('stays where it is when the first lane is resumed', async () => {
    const egress = await testEgress();
    const session = await testSession(egress, egress.certs.client('alice'), { lanes: true });
    const carrier = await testLane(egress, session, { lane: 1 });
    session.driver.detach();
    await testResume(egress, session, { epoch: 1 });
    await testStream(session, (await echo()).at).opened;
    expect([carrier.duplex.destroyed, session.driver.session.lanes.of(1)?.attached]).toEqual([false, true]);
  });
});

describe('lanes are agreed on', () => {
  test.each([
    ['that asks for none', { lanes: false }, {}, { features: 1, lanes: 1 }],
    ['of an egress with one', { lanes: true }, { maxLanesPerSession: 1 }, { features: 1, lanes: 1 }],
    ['of an egress that does not resume', { lanes: true }, { resumeWindowMs: 0 }, { features: 0, lanes: 1 }],
    ['by default', { lanes: true }, {}, { features: 3, lanes: 8 }],
  ])('by both ends: a session %s', async (_what, asked, options, welcome) => {
    const egress = await testEgress(options);
    const session = await testSession(egress, egress.certs.client('alice'), asked);
    expect(session.connected.welcome).toMatchObject(welcome);
  });

  test('or there is none: a session with one lane refuses a further one', async () => {
    const egress = await testEgress();
    const session = await testSession(egress, egress.certs.client('alice'));
    await expect(testLane(egress, session, { lane: 1 })).rejects.toMatchObject({ code: 'NOT_RESUMABLE' });
  });
});
