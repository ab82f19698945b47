import { once } from 'node:events';
import net from 'node:net';
import { writeFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { wireOfCode } from '@adit/shared/errors';
import { acceptPooled } from '@adit/shared/net/sockets';
import type { Relay } from '@adit/shared/stream/relay';
import { closedPort, echo, service } from '../../../test/support/services.ts';
import { testEgress, testSession, testStream } from '../../../test/support/in-process.ts';

/** A local client's socket, joined to a stream by its relay; what comes back is collected. */
async function join({ relay }: { relay: Relay }): Promise<net.Socket> {
  const server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = net.connect({
    port: (server.address() as net.AddressInfo).port,
    host: '127.0.0.1',
    allowHalfOpen: true,
  });
  client.on('error', () => {
    /* a reset is looked for by `close` */
  });
  const [accepted] = (await once(server, 'connection')) as [net.Socket];
  relay.attach(acceptPooled(accepted), { idleTimeoutMs: 0 });
  server.close();
  return client;
}

test('an allowed destination is dialled, bytes go both ways, and one record tells of it', async () => {
  const egress = await testEgress();
  const to = await echo();
  const session = await testSession(egress, egress.certs.client('alice'));
  const stream = testStream(session, to.at);
  const client = await join(stream);
  client.end('hello');
  expect(String((await once(client, 'data'))[0])).toBe('hello');
  await stream.opened;
  const record = await egress.recorded();
  expect(record).toMatchObject({
    identity: 'spiffe://example.org/client/alice',
    frontEnd: 'forward',
    requested: to.at,
    resolved: to.at,
    rule: 'everyone',
    verdict: 'allow',
    end: 'finished',
    bytesUp: 5,
    bytesDown: 5,
  });
  expect(egress.server.streams).toBe(0);
});

test('a destination that no rule allows is refused, recorded as denied, and never dialled', async () => {
  const to = await service(() => {
    throw new Error('dialled');
  });
  const egress = await testEgress({
    policy: 'version: 1\nrules:\n  - name: other\n    identities: ["*"]\n    allow: ["127.0.0.1:1"]\n',
  });
  const session = await testSession(egress, egress.certs.client('alice'));
  expect(await testStream(session, to.at).ended).toMatchObject({ end: 'refused', code: wireOfCode('POLICY_DENIED') });
  expect(await egress.recorded()).toMatchObject({ verdict: 'deny', code: 'POLICY_DENIED', end: 'refused' });
});

test('early bytes never reach a service that refuses the connection', async () => {
  const egress = await testEgress();
  const session = await testSession(egress, egress.certs.client('alice'));
  const stream = testStream(session, `127.0.0.1:${await closedPort()}`);
  stream.stream.sendCopy(Buffer.from('early'));
  expect(await stream.ended).toMatchObject({ end: 'refused', code: wireOfCode('CONNECTION_REFUSED') });
  expect(await egress.recorded()).toMatchObject({ verdict: 'allow', code: 'CONNECTION_REFUSED', end: 'refused' });
});

test('the limit of one identity is said as such and frees itself', async () => {
  const egress = await testEgress({ maxStreamsPerIdentity: 1 });
  const to = await echo();
  const session = await testSession(egress, egress.certs.client('alice'));
  const first = testStream(session, to.at);
  await first.opened;
  expect(await testStream(session, to.at).ended).toMatchObject({ end: 'refused', code: wireOfCode('LIMIT_STREAMS') });
  first.relay.abort('PEER_GONE', 'enough');
  await egress.recorded((record) => record.end === 'reset');
  await testStream(session, to.at).opened;
});

test('a policy that takes a destination away resets the streams to it, and leaves the others', async () => {
  const egress = await testEgress();
  const [kept, taken] = [await echo(), await echo()];
  const session = await testSession(egress, egress.certs.client('alice'));
  const [one, other] = [testStream(session, kept.at), testStream(session, taken.at)];
  await Promise.all([one.opened, other.opened]);
  writeFileSync(
    egress.policyFile,
    `version: 1\nrules:\n  - name: one\n    identities: ["*"]\n    allow: ["${kept.at}"]\n`,
  );
  expect(await other.ended).toMatchObject({ end: 'reset', code: wireOfCode('POLICY_RELOADED') });
  const client = await join(one);
  client.write('still');
  expect(String((await once(client, 'data'))[0])).toBe('still');
  client.destroy();
});

test('a request with a critical option that we do not know is unsupported, and the session lives', async () => {
  const egress = await testEgress();
  const session = await testSession(egress, egress.certs.client('alice'));
  const stream = session.driver.session.open(Uint8Array.of(0x80, 0x99, 0, 0));
  const refused = new Promise((resolve) => {
    stream.events = { opened() {}, refused: resolve, data() {}, end() {}, reset() {}, writable() {} };
  });
  expect(await refused).toMatchObject({ code: wireOfCode('UNSUPPORTED') });
  await testStream(session, (await echo()).at).opened;
});

test('a client that gives up while the egress dials leaves nothing open there', async () => {
  const egress = await testEgress();
  const to = await echo();
  const session = await testSession(egress, egress.certs.client('alice'));
  const stream = testStream(session, to.at);
  stream.relay.abort('PEER_GONE', 'changed my mind');
  expect(await egress.recorded()).toMatchObject({ end: 'reset' });
  await to.idle();
  expect(egress.server.streams).toBe(0);
});
