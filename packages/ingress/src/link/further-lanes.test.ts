import { describe, expect, test } from '@jest/globals';
import { chaos } from '../../../../test/support/chaos.ts';
import { testEgress, type TestEgress } from '../../../../test/support/in-process.ts';
import { testIngress, type TestIngress } from '../../../../test/support/in-process-ingress.ts';
import { eventually } from '../../../../test/support/scope.ts';
import { client, service } from '../../../../test/support/services.ts';

const lane = (state: string) => (line: { event: string; state?: unknown }) =>
  line.event === 'lane' && line.state === state;

/** Pours from the service as fast as the client takes it, until that goes. */
async function bulkService(): Promise<string> {
  const chunk = Buffer.alloc(65_536, 7);
  const { at } = await service((socket) => {
    const pour = (): void => {
      while (!socket.destroyed && socket.write(chunk));
    };
    socket.on('drain', pour);
    pour();
  });
  return at;
}

/** A link of which lane 0 goes through a network of its own, with a delay that makes lanes worth while. */
async function linked(
  lanes: number | 'auto',
  options: { readonly egress?: Parameters<typeof testEgress>[0]; readonly delayMs?: number; readonly to: string },
): Promise<{ ingress: TestIngress; egress: TestEgress; network: Awaited<ReturnType<typeof chaos>> }> {
  const egress = await testEgress(options.egress);
  const network = await chaos(egress.port, { delayMs: options.delayMs ?? 0 });
  const ingress = await testIngress({ ...egress, port: network.port }, egress.certs.client('alice'), {
    to: options.to,
    lanes,
  });
  return { ingress, egress, network };
}

async function takesBulk(port: number): Promise<{ stop: () => void }> {
  const { socket } = await client(port);
  socket.resume();
  return { stop: () => socket.destroy() };
}

describe('a further lane', () => {
  test('is opened beside bulk, with auto where the round trip is long enough', async () => {
    const { ingress, egress } = await linked('auto', { to: await bulkService(), delayMs: 10 });
    const bulk = await takesBulk(ingress.port);
    expect(await ingress.until(lane('opened'))).toMatchObject({ lane: 1, carrier: 'tls' });
    expect(egress.lines.find(lane('opened'))).toMatchObject({ lane: 1 });
    bulk.stop();
  });

  test('is not opened with auto where it is short, however much moves', async () => {
    const { ingress, egress } = await linked('auto', { to: await bulkService() });
    const { socket } = await client(ingress.port);
    let bytes = 0;
    socket.on('data', (chunk) => {
      bytes += chunk.length;
    });
    await eventually('100 MB have come', () => bytes > 100e6);
    expect(egress.lines.filter(lane('opened'))).toEqual([]);
    socket.destroy();
  });

  test('is not opened where the egress has one for each session', async () => {
    const { ingress, egress } = await linked(8, { to: await bulkService(), egress: { maxLanesPerSession: 1 } });
    const { socket } = await client(ingress.port);
    let bytes = 0;
    socket.on('data', (chunk) => {
      bytes += chunk.length;
    });
    await eventually('100 MB have come', () => bytes > 100e6);
    expect([egress.lines.filter(lane('opened')), egress.lines.filter(({ event }) => event === 'denied')]).toEqual([
      [],
      [],
    ]);
    socket.destroy();
  });

  test('that a load balancer leads to another egress is refused, and the session goes on', async () => {
    const { ingress, egress, network } = await linked(2, { to: await bulkService() });
    const other = await testEgress({ certs: egress.certs });
    await ingress.until(({ event }) => event === 'connected');
    network.to = other.port;
    const bulk = await takesBulk(ingress.port);
    expect(await ingress.until(({ event }) => event === 'failed')).toMatchObject({
      code: 'NOT_RESUMABLE',
    });
    expect(ingress.lines.filter(({ event }) => event === 'disconnected' || event === 'detached')).toEqual([]);
    network.to = egress.port;
    await ingress.until(lane('opened'));
    bulk.stop();
  });

  test('that is not needed any more is closed', async () => {
    const { ingress, egress } = await linked(4, { to: await bulkService() });
    const bulk = await takesBulk(ingress.port);
    await ingress.until(lane('opened'));
    bulk.stop();
    expect(await ingress.until(lane('closed'))).toMatchObject({ reason: 'it is not needed any more' });
    await egress.until(lane('closed'));
  });

  test('does not outlive a swap', async () => {
    const { ingress, egress } = await linked(2, { to: await bulkService() });
    const bulk = await takesBulk(ingress.port);
    await ingress.until(lane('opened'));
    await ingress.agent.swap('a test');
    expect(await egress.until(lane('closed'))).toMatchObject({ lane: 1 });
    bulk.stop();
  });
});
