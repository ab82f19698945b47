import { X509Certificate } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { duplexPair } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { wireOfCode } from '@adit/shared/errors';
import { ConnectionStream } from '@adit/shared/stream/connection-stream';
import { certificates, type KeyPair } from '../../../../test/support/certificates.ts';
import { aliceInMemory, clientsInMemory } from '../../../../test/support/client-in-memory.ts';
import {
  memoryLog,
  testEgress,
  testResume,
  testSession,
  testStream,
  type TestEgress,
  type TestSession,
} from '../../../../test/support/in-process.ts';
import { integer } from '../../../../test/support/issuer.ts';
import { within } from '../../../../test/support/scope.ts';
import { echo, receive, service, type Service } from '../../../../test/support/services.ts';

/** Alice may reach `open`; the group dev may also reach `inner`. */
function policyOf({ open, inner, via }: { open: string; inner: string; via?: string }): string {
  return JSON.stringify({
    version: 1,
    rules: [
      { name: 'alice', identities: ['alice'], allow: [open] },
      { name: 'dev', identities: ['group:dev'], allow: [inner], ...(via !== undefined && { via }) },
    ],
  });
}

/** A service, and the bytes that each connection got. */
async function recorder(): Promise<Service & { readonly received: Promise<{ bytes: Buffer; ending: string }>[] }> {
  const received: Promise<{ bytes: Buffer; ending: string }>[] = [];
  const made = await service((socket) => {
    received.push(receive(socket));
  });
  return { ...made, received };
}

interface Scene {
  readonly egress: TestEgress;
  readonly session: TestSession;
  readonly open: Service;
  readonly inner: Awaited<ReturnType<typeof recorder>>;
  /** Certificates of alice. */
  readonly dev: KeyPair;
  readonly plain: KeyPair;
  revoke(pair: KeyPair): Promise<void>;
}

/** A session of alice, who is in the group dev or is not, at an egress with a revocation list. */
async function scene(first: 'dev' | 'plain'): Promise<Scene> {
  const [open, inner] = [await echo(), await recorder()];
  const certs = certificates();
  const crl = certs.revoke({});
  const pair = (file: string, groups: readonly string[]): KeyPair => {
    const made = certs.client('alice', { groups });
    return certs.write(file, made.issued);
  };
  const [dev, plain] = [pair('alice-dev', ['dev']), pair('alice-plain', [])];
  const egress = await testEgress({ certs, crl, policy: policyOf({ open: open.at, inner: inner.at }) });
  return {
    egress,
    session: await testSession(egress, first === 'dev' ? dev : plain),
    open,
    inner,
    dev,
    plain,
    revoke: async ({ cert }) => {
      certs.revoke({ serials: [integer(new X509Certificate(readFileSync(cert)).serialNumber)] });
      await egress.until((line) => line.event === 'reloaded' && line['what'] === 'certificates');
    },
  };
}

describe('a resume with a certificate of fewer groups', () => {
  test('resets the streams that these do not allow, before their bytes go on, and keeps the others', async () => {
    const { egress, session, open, inner, plain } = await scene('dev');
    const [kept, lost] = [testStream(session, open.at), testStream(session, inner.at)];
    await Promise.all([kept.opened, lost.opened]);
    session.carrier.duplex.destroy();
    await session.lost;
    lost.stream.sendCopy(Buffer.from('too late'));

    await testResume(egress, session, { pair: plain, epoch: 1 });

    expect(await within(30_000, 'the reset', lost.ended)).toMatchObject({
      end: 'reset',
      code: wireOfCode('POLICY_RELOADED'),
      reason: 'the certificate changed and no longer allows this destination',
    });
    expect(await within(30_000, 'the end at the service', inner.received[0]!)).toEqual({
      bytes: Buffer.alloc(0),
      ending: 'reset',
    });
    expect(await egress.recorded()).toMatchObject({ requested: inner.at, end: 'cut', code: 'POLICY_RELOADED' });
    expect(await testStream(session, inner.at).ended).toMatchObject({ code: wireOfCode('POLICY_DENIED') });
    kept.relay.abort('NO_ERROR', 'still there');
    expect(await egress.recorded((record) => record.requested === open.at)).toMatchObject({ end: 'reset' });
  });

  test('ends a dial that these do not allow', async () => {
    let asked!: () => void;
    const dialled = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const hop = await service((socket) => {
      socket.once('data', asked); // and never answers
      socket.on('end', () => socket.end());
    });
    const certs = certificates();
    const dev = certs.client('alice', { groups: ['dev'] });
    const egress = await testEgress({
      certs,
      policy: policyOf({ open: '192.0.2.1:1', inner: 'inner.example:1', via: `http://${hop.at}` }),
    });
    const session = await testSession(egress, dev);
    const stream = testStream(session, 'inner.example:1');
    await within(30_000, 'the question to the next hop', dialled);
    await testResume(egress, session, { pair: certs.client('alice'), epoch: 1 });
    expect(await within(30_000, 'the reset', stream.ended)).toMatchObject({ code: wireOfCode('POLICY_RELOADED') });
    await hop.idle();
  });
});

test('a resume with a certificate of more groups lets new streams reach what these allow', async () => {
  const { egress, session, inner, dev } = await scene('plain');
  expect(await testStream(session, inner.at).ended).toMatchObject({ code: wireOfCode('POLICY_DENIED') });
  await testResume(egress, session, { pair: dev, epoch: 1 });
  const stream = testStream(session, inner.at);
  await within(30_000, 'the stream', stream.opened);
  stream.relay.abort('PEER_GONE', 'enough');
  await within(30_000, 'the end at the service', inner.received[0]!);
});

describe('after a resume with another certificate', () => {
  test('the revocation of the first one changes nothing', async () => {
    const { egress, session, open, dev, plain, revoke } = await scene('dev');
    const stream = testStream(session, open.at);
    await stream.opened;
    await testResume(egress, session, { pair: plain, epoch: 1 });
    await revoke(dev);
    await testStream(session, open.at).opened;
    expect(egress.records).toEqual([]);
    expect(egress.lines.filter(({ event }) => event === 'denied')).toEqual([]);
  });

  test('the revocation of the new one ends the session and its streams', async () => {
    const { egress, session, open, plain, revoke } = await scene('dev');
    await testStream(session, open.at).opened;
    await testResume(egress, session, { pair: plain, epoch: 1 });
    await revoke(plain);
    expect(await within(30_000, 'the end of the session', session.ended)).toMatch(/revoked/);
    expect(await egress.recorded()).toMatchObject({ end: 'cut', code: 'REVOKED' });
    expect(egress.lines.filter(({ event }) => event === 'denied')).toEqual([
      expect.objectContaining({
        remote: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
        session: expect.stringMatching(/^[0-9a-f]{12}$/),
        identity: 'spiffe://example.org/client/alice',
        code: 'REVOKED',
      }),
    ]);
  });
});

test('a stream that is over keeps its place until its duplex is closed', async () => {
  const { log } = memoryLog();
  const { clients, limits } = clientsInMemory(log);
  const way = { leave: () => {} };
  const client = clients.join({ name: 'a test', identity: aliceInMemory(), remote: 'local', way });
  const [near] = duplexPair();
  const refused: unknown[] = [];
  const stream = new ConnectionStream(near, {
    id: 1,
    accept: () => {},
    refuse: (refusal) => refused.push(refusal),
    reset: () => {},
    died: () => ({ code: 0, reason: '' }),
  });
  client.serve(stream, { destination: { kind: 'host', host: '192.0.2.1', port: 1 } }, near);
  expect([refused.length, client.streams, limits.streams]).toEqual([1, 0, 1]);
  near.destroy();
  await once(near, 'close');
  expect(limits.streams).toBe(0);
});

test('a session is published when it opens and when it closes, and not when it is resumed', () => {
  const seen: unknown[] = [];
  const watch = (message: unknown): void => void seen.push(message);
  const identity = aliceInMemory();
  const client = clientsInMemory(memoryLog().log).clients.join({
    name: '0a1b',
    identity,
    remote: '192.0.2.1:5',
    way: { leave: () => {} },
  });
  subscribe('adit:session', watch);
  try {
    client.connected({ carrier: 'tls', resumed: false });
    client.connected({ carrier: 'tls', resumed: true, epoch: 1 });
    client.left('the client left');
  } finally {
    unsubscribe('adit:session', watch);
  }
  const record = { session: '0a1b', identity: identity.uri, peer: '192.0.2.1:5' };
  expect(seen).toEqual([
    { ...record, state: 'opened' },
    { ...record, state: 'closed' },
  ]);
});
