/** Bytes of local connections over a real session: that they arrive, and end as they ended. */
import { expect, test } from '@jest/globals';
import { memoryLog, testEgress } from '../../../test/support/in-process.ts';
import { testIngress } from '../../../test/support/in-process-ingress.ts';
import { certificates } from '../../../test/support/certificates.ts';
import { MemoryStream } from '../../../test/support/memory-session.ts';
import { within } from '../../../test/support/scope.ts';
import { ask, client, closedPort, echo, endingOf, service } from '../../../test/support/services.ts';
import { carry } from './carry.ts';
import type { ExchangeAsk } from './frontend/contract.ts';
import { LocalClient } from './local-client.ts';

test('a local connection reaches the service and ends as it ended', async () => {
  const egress = await testEgress();
  const ingress = await testIngress(egress, egress.certs.client('alice'), { to: (await echo()).at });
  expect(await ask(ingress.port, 'hello')).toBe('hello');
});

test('a refused destination is a reset locally, with the reason of the egress in the log', async () => {
  const egress = await testEgress();
  const ingress = await testIngress(egress, egress.certs.client('alice'), { to: `127.0.0.1:${await closedPort()}` });
  expect(await endingOf(ingress.port)).toBe('reset');
  expect(await ingress.until((line) => line.event === 'refused')).toMatchObject({ code: 'CONNECTION_REFUSED' });
});

test('while the egress is away a connection waits, and is then reset with what stood in the way', async () => {
  const certs = certificates();
  const ingress = await testIngress({ port: await closedPort(), certs }, certs.client('alice'), {
    to: '127.0.0.1:1',
    connectTimeoutMs: 100,
  });
  expect(await endingOf(ingress.port)).toBe('reset');
  expect(await ingress.until((line) => line.event === 'refused')).toMatchObject({
    code: 'EGRESS_UNREACHABLE',
    reason: expect.stringMatching(/no session within 0.1 s: cannot reach the egress .*ECONNREFUSED/),
  });
});

test('a client that leaves while it waits leaves nothing behind', async () => {
  const certs = certificates();
  const ingress = await testIngress({ port: await closedPort(), certs }, certs.client('alice'), { to: '127.0.0.1:1' });
  const { socket } = await client(ingress.port);
  socket.resetAndDestroy();
  await ingress.agent.drain(new AbortController().signal);
});

test.each([5, 300_000])('a client that says %d bytes and ends while it waits is answered', async (bytes) => {
  const [certs, port] = [certificates(), await closedPort()];
  const ingress = await testIngress({ port, certs }, certs.client('alice'), {
    to: (await echo()).at,
    connectTimeoutMs: 30_000,
  });
  const answer = ask(ingress.port, 'x'.repeat(bytes));
  await ingress.until((line) => line.event === 'retrying');
  await testEgress({ certs, listen: [{ listen: { kind: 'tcp', host: '127.0.0.1', port }, spec: String(port) }] });
  expect(await answer).toHaveLength(bytes);
});

test('a reset of the service is a reset of the client, and the other way round', async () => {
  const egress = await testEgress();
  const resetting = await service((socket) => {
    socket.once('data', () => socket.resetAndDestroy());
  });
  const ingress = await testIngress(egress, egress.certs.client('alice'), { to: resetting.at });
  expect(await endingOf(ingress.port)).toBe('reset');
  const echoing = await echo();
  const other = await testIngress(egress, egress.certs.client('alice'), { to: echoing.at });
  const { socket } = await client(other.port);
  socket.once('data', () => socket.resetAndDestroy());
  socket.write('x');
  expect(await egress.recorded((record) => record.requested === echoing.at)).toMatchObject({
    end: 'reset',
    code: 'CONNECTION_RESET',
  });
});

/** A client that is accepted, and this end of it. */
async function accepted(): Promise<{ readonly local: LocalClient; readonly received: Promise<{ ending: string }> }> {
  let accept!: (local: LocalClient) => void;
  const coming = new Promise<LocalClient>((resolve) => {
    accept = resolve;
  });
  const { log } = memoryLog();
  const { port } = await service((socket) => accept(new LocalClient(socket, log)), { pauseOnConnect: true });
  const { received } = await client(port);
  return { local: await coming, received };
}

const exchanging = (exchange: ExchangeAsk['exchange']): ExchangeAsk => ({
  carry: 'exchange',
  frontEnd: 'http',
  destination: { kind: 'service', service: 'web' },
  refused: () => Buffer.from('no'),
  exchange,
});

test.each([
  ['splice', { carry: 'splice', frontEnd: 'forward', destination: { kind: 'service', service: 'web' } }],
  [
    'exchange',
    exchanging(
      (far) =>
        new Promise((_resolve, reject) => {
          far.on('error', reject);
        }),
    ),
  ],
] as const)('a %s without bytes for the idle timeout is reset on both sides', async (_way, asked) => {
  const { local, received } = await accepted();
  const heard: string[] = [];
  const stream = new MemoryStream((what) => heard.push(what));
  const carried = carry(asked, { client: local, stream, idleTimeoutMs: 50 });
  stream.opens();
  expect(await within(30_000, 'the end', carried)).toMatchObject({ end: 'reset', code: 'IDLE_TIMEOUT' });
  expect([(await received).ending, heard]).toEqual(['reset', ['RESET IDLE_TIMEOUT']]);
});

test('an exchange that fails for a reason that is no AditError is a bug, and is not swallowed', async () => {
  const { local, received } = await accepted();
  const stream = new MemoryStream(() => {});
  const carried = carry(
    exchanging(() => Promise.reject(new TypeError('a bug'))),
    { client: local, stream, idleTimeoutMs: 0 },
  );
  stream.opens();
  await expect(within(30_000, 'the end', carried)).rejects.toThrow('a bug');
  expect((await received).ending).toBe('reset');
});

test('early bytes follow OPEN in pieces that are a frame each', async () => {
  const { local } = await accepted();
  const pieces: number[] = [];
  const stream = new MemoryStream((what) => pieces.push(what.length));
  void carry(
    {
      carry: 'splice',
      frontEnd: 'sni',
      destination: { kind: 'service', service: 'web' },
      early: Buffer.alloc(40_000, 'x'),
      refused: () => Buffer.from('no'),
    },
    { client: local, stream, idleTimeoutMs: 0 },
  );
  expect(pieces).toEqual([16_384, 16_384, 7_232]);
  local.reset();
});
