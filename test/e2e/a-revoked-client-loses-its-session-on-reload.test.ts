import { expect, test } from '@jest/globals';
import { policyOf, startEgress, startIngress } from '../support/adit.ts';
import { type KeyPair, certificates } from '../support/certificates.ts';
import { converse } from '../support/conversation.ts';
import { type Issued, day } from '../support/issuer.ts';
import { eventually, within } from '../support/scope.ts';
import { ask, client, echo, hashing } from '../support/services.ts';
import { noticedNothing, steady } from '../support/steady.ts';

test('a new revocation list resets the streams of the revoked client only; its ingress exits with 4', async () => {
  const files = certificates();
  const [alice, bob] = [files.client('alice'), files.client('bob')];
  const echoes = await echo();
  const policy = policyOf({ identities: ['alice', 'bob'], allow: ['127.0.0.1:*'] });
  const egress = await startEgress({ certificates: files, policy, flags: ['--crl', files.revoke({})] });
  const start = (pair: KeyPair) =>
    startIngress({ certificates: files, egressPort: egress.port, to: { echo: echoes.at }, client: pair });
  const [ingressOfAlice, ingressOfBob] = [await start(alice), await start(bob)];
  const [streamOfAlice, streamOfBob] = [
    await converse(ingressOfAlice.ports['echo']!),
    await converse(ingressOfBob.ports['echo']!),
  ];

  files.revoke({ revoked: [alice.issued] });
  expect((await streamOfAlice.received).ending).toBe('reset');
  expect(await ingressOfAlice.process.event('denied')).toMatchObject({ code: expect.stringMatching(/REVOKED$/) });
  await ingressOfAlice.process.ends(4);
  await streamOfBob.echoes('y');
  expect(await ask(ingressOfBob.ports['echo']!, 'bob goes on')).toBe('bob goes on');
});

test('an egress whose list is out of date lets nobody in, says so, and serves when a new one comes', async () => {
  const files = certificates();
  const echoes = await echo();
  const egress = await startEgress({
    certificates: files,
    flags: [
      '--crl',
      files.revoke({ thisUpdate: new Date(Date.now() - 2 * day), nextUpdate: new Date(Date.now() - day) }),
    ],
  });
  const ingress = await startIngress({ certificates: files, egressPort: egress.port, to: { echo: echoes.at } });

  expect(await ingress.process.event('retrying')).toMatchObject({
    code: 'REVOCATION_STALE',
    advice: expect.stringContaining('adit ca crl'),
  });
  files.revoke({});
  await ingress.process.event('connected');
  expect(await ask(ingress.ports['echo']!, 'fresh')).toBe('fresh');
});

test(
  'a client that is revoked in the middle of a transfer is cut off within a second, with the reason; the session ' +
    'of another goes on',
  async () => {
    const files = certificates();
    const names = ['alice', 'carol', 'dave'];
    const sums = await hashing();
    const egress = await startEgress({
      certificates: files,
      policy: policyOf({ identities: [...names, 'bob'], allow: [sums.at] }),
      flags: ['--crl', files.revoke({})],
    });
    const start = (pair: KeyPair) =>
      startIngress({ certificates: files, egressPort: egress.port, to: { sums: sums.at }, client: pair });
    const bob = await start(files.client('bob'));
    const transfer = await steady(bob.ports['sums']!);
    const revoked: Issued[] = [];
    const tookMs: number[] = [];

    for (const name of names) {
      const pair = files.client(name);
      const ingress = await start(pair);
      const { socket, received } = await client(ingress.ports['sums']!);
      socket.write('x');
      await eventually('both streams at the service', () => sums.sockets.size === 2);
      const flood = setInterval(() => {
        if (socket.writable && socket.writableLength < 2 ** 20) socket.write(Buffer.alloc(65_536));
      }, 5);
      const startedMs = performance.now();
      files.revoke({ revoked: [...revoked, pair.issued] });
      revoked.push(pair.issued);
      const { ending } = await within(30_000, `the reset of ${name}`, received);
      tookMs.push(performance.now() - startedMs);
      clearInterval(flood);
      expect(ending).toBe('reset');
      expect(await egress.process.event('stream', { identity: `spiffe://example.org/client/${name}` })).toMatchObject({
        end: 'cut',
        code: 'REVOKED',
      });
      expect(await ingress.process.event('disconnected')).toMatchObject({ code: 'REVOKED' });
      await ingress.process.ends(4);
      await eventually('the end at the service', () => sums.sockets.size === 1);
    }

    // The machine may be busy with something else for a second, but not every time.
    expect(Math.min(...tookMs)).toBeLessThan(1_000);
    await noticedNothing(bob, transfer);
    expect(egress.process.all('denied', { identity: /bob$/ })).toEqual([]);
  },
);
