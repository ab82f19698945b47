import { once } from 'node:events';
import { expect } from '@jest/globals';
import { policyOf, startEgress } from '../support/adit.ts';
import { certificates } from '../support/certificates.ts';
import { connectHttp1, http2Connection, connectHttp2, type Tunnel } from '../support/connect-client.ts';
import { deafService } from '../support/deaf-service.ts';
import { FrameClient } from '../support/frame-client.ts';
import { scenario } from '../support/scenario.ts';
import { eventually, within } from '../support/scope.ts';

/** The kernel takes less than this for a service that does not read: of each stream, 40 KiB and more wait. */
const window = 262_144;
const streams = 40;

/** An egress where 1 MiB of an identity may wait for services, and a service that does not read. */
async function smallEgress() {
  const service = await deafService();
  const certs = certificates();
  const { port, process } = await startEgress({
    certificates: certs,
    policy: policyOf({ identities: ['alice', 'bob'], allow: ['deaf'], services: { deaf: service.at } }),
    flags: ['--max-waiting-per-identity', '1M'],
  });
  const cut = (): number => process.all('stream', { code: 'OVERLOAD', end: 'cut' }).length;
  return { certs, port, process, cut };
}

/** Writes until the tunnel is reset. */
async function pour({ duplex, received }: Tunnel): Promise<void> {
  const block = Buffer.alloc(65_536);
  const over = received.then(() => undefined);
  while (!duplex.destroyed && duplex.writable)
    if (!duplex.write(block)) await Promise.race([once(duplex, 'drain').catch(() => undefined), over]);
}

scenario(
  'streams of a session that hold too much are reset, and the session and other identities go on',
  [],
  async () => {
    const egress = await smallEgress();
    const [alice, bob] = await Promise.all(
      ['alice', 'bob'].map((name) => FrameClient.connect(egress, egress.certs.client(name))),
    );
    const open = (client: FrameClient): number => client.open({ kind: 'service', service: 'deaf' });
    const bobs = open(bob!);
    await bob!.data(bobs, window);

    for (let n = 0; n < streams; n++) await alice!.data(open(alice!), window);

    await alice!.until('a reset', () => alice!.lost.size > 0);
    await eventually('the records', () => egress.cut() === alice!.lost.size);
    for (const client of [alice!, bob!]) await client.parsed();
    expect(alice!.lost.size).toBeLessThan(streams);
    expect(bob!.lost.size).toBe(0);
  },
);

scenario('CONNECT counts for the same bound, over HTTP/1.1 and HTTP/2', [], async () => {
  const egress = await smallEgress();
  const alice = egress.certs.client('alice');
  const session = await http2Connection(egress, alice);
  const target = 'deaf.adit.internal:1';
  const tunnels = [
    await connectHttp1(egress, alice, target),
    await connectHttp1(egress, alice, target),
    await connectHttp2(session, target),
    await connectHttp2(session, target),
  ];
  for (const { duplex } of tunnels)
    duplex.on('error', () => {
      /* a reset is what this is about */
    });

  for (const tunnel of tunnels) void pour(tunnel);

  const ending = await within(30_000, 'a reset', Promise.race(tunnels.map(({ received }) => received)));
  expect(ending.ending).toBe('reset');
  await eventually('the record', () => egress.cut() > 0);
  expect(session.destroyed).toBe(false);
});
