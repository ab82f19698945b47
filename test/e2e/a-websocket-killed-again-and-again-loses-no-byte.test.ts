import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import { startEgress, startIngress } from '../support/adit.ts';
import { certificates } from '../support/certificates.ts';
import { chaos } from '../support/chaos.ts';
import { pattern, patternHash } from '../support/pattern.ts';
import { client, service } from '../support/services.ts';
import { within } from '../support/scope.ts';

const megabytes = 128;

async function pour(socket: Socket, seed: number): Promise<void> {
  for (const chunk of pattern(megabytes, seed)) if (!socket.write(chunk)) await once(socket, 'drain');
  socket.end();
}

async function drain(socket: Socket): Promise<string> {
  const hash = createHash('sha256');
  socket.on('data', (chunk: Buffer) => {
    hash.update(chunk);
  });
  await once(socket, 'end');
  return hash.digest('hex');
}

test('128 MiB each way at once over a WebSocket that is killed every 0.2 to 1 s: both hashes right', async () => {
  const files = certificates();
  let arrived: Promise<string> | undefined;
  const both = await service((socket) => {
    arrived = drain(socket);
    void pour(socket, 2);
  });
  const egress = await startEgress({ certificates: files, flags: ['--ws-path', '/through/here'] });
  const network = await chaos(egress.port, { killAfterMs: [200, 1_000], seed: 11 });
  const ingress = await startIngress({
    certificates: files,
    egressPort: network.port,
    egress: `wss://127.0.0.1:${network.port}/through/here`,
    to: { both: both.at },
  });
  await ingress.process.event('connected', {
    carrier: 'websocket',
    egress: `wss://127.0.0.1:${network.port}/through/here`,
  });
  const { socket } = await client(ingress.ports['both']!);
  const sent = pour(socket, 1);
  expect(await within(200_000, '128 MiB down', drain(socket), () => `${network.kills} kills`)).toBe(
    patternHash(megabytes, 2),
  );
  await sent;
  expect(await within(100_000, '128 MiB up', arrived!)).toBe(patternHash(megabytes, 1));
  expect(network.kills).toBeGreaterThan(0);
  expect(ingress.process.all('connected', { resumed: true, carrier: 'websocket' })).toHaveLength(
    ingress.process.all('connected').length - 1,
  );
}, 300_000);
