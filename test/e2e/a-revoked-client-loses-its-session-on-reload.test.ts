import { expect, test } from '@jest/globals';
import { startEgress, startIngress } from '../support/adit.ts';
import { certificates } from '../support/certificates.ts';
import { day } from '../support/issuer.ts';
import { ask, chunkFrom, client, echo } from '../support/services.ts';

test('a new revocation list resets the streams of the revoked and nobody else, and its ingress ends with 4', async () => {
  const files = certificates();
  const [alice, bob] = [files.client('alice'), files.client('bob')];
  const echoes = await echo();
  const policy = JSON.stringify({ version: 1, rules: [{ name: 'both', identities: ['alice', 'bob'], allow: ['127.0.0.1:*'] }] });
  const egress = await startEgress({ certificates: files, policy, flags: ['--crl', files.revoke({})] });
  const [ingressOfAlice, ingressOfBob] = [await startIngress({ certificates: files, egressPort: egress.port, to: { echo: echoes.at }, client: alice }), await startIngress({ certificates: files, egressPort: egress.port, to: { echo: echoes.at }, client: bob })];
  const streams = await Promise.all([ingressOfAlice, ingressOfBob].map(async ({ ports }) => { const open = await client(ports['echo']!); open.socket.write('x'); await chunkFrom(open.socket); return open; }));
  files.revoke({ revoked: [alice.issued] });
  expect((await streams[0]!.received).ending).toBe('reset');
  expect(await ingressOfAlice.process.event('denied')).toMatchObject({ code: expect.stringMatching(/REVOKED$/) });
  await ingressOfAlice.process.ends(4);
  streams[1]!.socket.write('y');
  expect(String(await chunkFrom(streams[1]!.socket))).toBe('y');
  expect(await ask(ingressOfBob.ports['echo']!, 'bob goes on')).toBe('bob goes on');
});
test('an egress whose list is out of date lets nobody in, says so, and serves when a new one comes', async () => {
  const files = certificates();
  const echoes = await echo();
  const egress = await startEgress({ certificates: files, flags: ['--crl', files.revoke({ thisUpdate: new Date(Date.now() - 2 * day), nextUpdate: new Date(Date.now() - day) })] });
  const ingress = await startIngress({ certificates: files, egressPort: egress.port, to: { echo: echoes.at } });
  expect(await ingress.process.event('retrying')).toMatchObject({ code: 'REVOCATION_STALE', advice: expect.stringContaining('adit ca crl') });
  files.revoke({});
  await ingress.process.event('connected');
  expect(await ask(ingress.ports['echo']!, 'fresh')).toBe('fresh');
});
