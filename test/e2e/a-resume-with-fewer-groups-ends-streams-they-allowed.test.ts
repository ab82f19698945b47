import { X509Certificate } from 'node:crypto';
import { copyFileSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { startEgress, startIngress } from '../support/adit.ts';
import { type KeyPair, certificates } from '../support/certificates.ts';
import { chaos } from '../support/chaos.ts';
import { integer } from '../support/issuer.ts';
import { within } from '../support/scope.ts';
import { chunkFrom, client, echo, receive, service } from '../support/services.ts';

/** Alice may reach `open`; the group dev may also reach `inner`. Alice starts with a certificate of that group. */
async function setUp() {
  const files = certificates();
  const arrived: ReturnType<typeof receive>[] = [];
  const open = await echo();
  const inner = await service((socket) => {
    socket.write('hello');
    arrived.push(receive(socket));
  });
  const pair = (file: string, groups: readonly string[]): KeyPair =>
    files.write(file, files.client('issued', { uris: uris(groups) }).issued);
  const [dev, plain] = [pair('alice-dev', ['dev']), pair('alice-plain', [])];
  const used = pair('alice', ['dev']);
  const use = ({ cert, key }: KeyPair): void => {
    copyFileSync(key, used.key);
    copyFileSync(cert, used.cert);
  };
  use(dev);
  const crl = files.revoke({});
  const policy = JSON.stringify({
    version: 1,
    rules: [
      { name: 'alice', identities: ['alice'], allow: [open.at] },
      { name: 'dev', identities: ['group:dev'], allow: [inner.at] },
    ],
  });
  const egress = await startEgress({ certificates: files, policy, flags: ['--crl', crl] });
  const network = await chaos(egress.port);
  const ingress = await startIngress({
    certificates: files,
    egressPort: network.port,
    to: { open: open.at, inner: inner.at },
    client: used,
  });
  await ingress.process.event('connected');
  return {
    ...{ egress, network, ingress, inner, arrived, dev, plain, use },
    revoke: async ({ cert }: KeyPair): Promise<void> => {
      const seen = egress.process.all('reloaded', { what: 'certificates' }).length;
      files.revoke({ serials: [integer(new X509Certificate(readFileSync(cert)).serialNumber)] });
      await egress.process.event('reloaded', { what: 'certificates' }, { nth: seen + 1 });
    },
  };
}

function uris(groups: readonly string[]): string[] {
  return ['spiffe://example.org/client/alice', ...groups.map((group) => `spiffe://example.org/group/${group}`)];
}

test('a session that resumes with fewer groups loses the streams that the others allowed, and no more', async () => {
  // given a session with a stream that anybody of its name may have, and one that its group allows
  const { egress, network, ingress, inner, arrived, dev, plain, use, revoke } = await setUp();
  const kept = await client(ingress.ports['open']!);
  const lost = await client(ingress.ports['inner']!);
  expect(String(await chunkFrom(lost.socket))).toBe('hello');
  kept.socket.write('before');
  expect(String(await chunkFrom(kept.socket))).toBe('before');

  // when the path breaks, bytes wait for it, and the session comes back with a certificate without the group
  network.stall('all');
  network.cut();
  await ingress.process.event('detached');
  lost.socket.write('too late');
  use(plain);
  await ingress.process.event('reloaded', { what: 'certificates' });
  network.cut();
  network.flow();

  // then the stream of the group is reset at both ends, and nothing of what waited arrives
  expect((await within(30_000, 'the reset of the client', lost.received)).ending).toBe('reset');
  expect(await within(30_000, 'the reset of the service', arrived[0]!)).toEqual({
    bytes: Buffer.alloc(0),
    ending: 'reset',
  });
  expect(await egress.process.event('stream')).toMatchObject({
    requested: inner.at,
    end: 'cut',
    code: 'POLICY_RELOADED',
    reason: 'the certificate changed and no longer allows this destination',
  });
  // and the other goes on, in the same session
  kept.socket.write('after');
  expect(String(await chunkFrom(kept.socket))).toBe('after');
  expect(ingress.process.all('disconnected')).toEqual([]);
  expect((await (await client(ingress.ports['inner']!)).received).bytes).toEqual(Buffer.alloc(0));
  expect(await egress.process.event('stream', { code: 'POLICY_DENIED' })).toMatchObject({ requested: inner.at });

  // the session is the new certificate's now: only its revocation ends it
  await revoke(dev);
  kept.socket.write('still');
  expect(String(await chunkFrom(kept.socket))).toBe('still');
  await revoke(plain);
  expect((await within(30_000, 'the end of the session', kept.received)).ending).toBe('reset');
  expect(await egress.process.event('denied', { code: 'REVOKED' })).toMatchObject({
    identity: 'spiffe://example.org/client/alice',
    session: egress.process.all('connected')[0]!['session'],
  });
  await ingress.process.ends(4);
}, 120_000);
