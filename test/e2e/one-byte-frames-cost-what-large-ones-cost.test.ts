import { expect } from '@jest/globals';
import { type Egress, policyOf, startEgress } from '../support/adit.ts';
import { type Certificates, certificates } from '../support/certificates.ts';
import { deafService } from '../support/deaf-service.ts';
import { HostileHttp2 } from '../support/hostile-http2.ts';
import { FrameClient } from '../support/frame-client.ts';
import { scenario } from '../support/scenario.ts';

const mebibyte = 2 ** 20;
const [streams, each] = [40, 262_144];
/** More than for the same bytes in large frames. */
const allowedBytes = 60 * mebibyte;
/** The kernel takes this for a service that does not read, and not much more. */
const takenBytes = 131_072;
/** With this much, an egress stops to read an HTTP/2 stream whose service does not read. */
const pausedBytes = 524_288;

/** An egress with a service that does not read, which a policy calls `deaf`. */
async function deafEgress(): Promise<{ certs: Certificates; port: number; process: Egress['process'] }> {
  const service = await deafService();
  const certs = certificates();
  const { port, process } = await startEgress({
    certificates: certs,
    policy: policyOf({ allow: ['deaf'], services: { deaf: service.at } }),
  });
  return { certs, port, process };
}

/** By how much an egress grows while bytes in frames of `size` wait for services that do not read. */
async function ofSession(size: number): Promise<number> {
  const egress = await deafEgress();
  const session = await FrameClient.connect(egress, egress.certs.client('alice'));
  const ids = Array.from({ length: streams }, () => session.open({ kind: 'service', service: 'deaf' }));
  for (const id of ids) await session.data(id, takenBytes);
  for (const id of ids) await session.until(`credit of stream ${id}`, () => session.credit(id) === each);
  await session.parsed();
  const before = await egress.process.residentBytes();

  for (const id of ids) await session.data(id, each, size);
  await session.parsed();
  const after = await egress.process.residentBytes();

  expect([session.lost.size, session.duplex.destroyed]).toEqual([0, false]);
  session.duplex.destroy();
  await egress.process.stop();
  return after - before;
}

/** The same over CONNECT of HTTP/2. */
async function ofHttp2(size: number): Promise<number> {
  const egress = await deafEgress();
  const client = await HostileHttp2.connect(egress, egress.certs.client('alice'));
  const ids: number[] = [];
  for (let n = 0; n < streams; n++) ids.push(await client.open('deaf.adit.internal:1'));
  for (const id of ids) await client.data(id, pausedBytes, 16_384);
  await client.parsed();
  const before = await egress.process.residentBytes();

  for (const id of ids) await client.data(id, each, size);
  await client.parsed();
  const after = await egress.process.residentBytes();

  expect([client.lost.size, client.duplex.destroyed]).toEqual([0, false]);
  client.duplex.destroy();
  await egress.process.stop();
  return after - before;
}

scenario('a session of one-byte frames to services that do not read costs what large frames cost', [], async () => {
  const large = await ofSession(65_528);

  const small = await ofSession(1);

  expect(small - large).toBeLessThan(allowedBytes);
});

scenario(
  'CONNECT of HTTP/2 in one-byte frames to services that do not read costs what large frames cost',
  [],
  async () => {
    const large = await ofHttp2(16_384);

    const small = await ofHttp2(1);

    expect(small - large).toBeLessThan(allowedBytes);
  },
);
