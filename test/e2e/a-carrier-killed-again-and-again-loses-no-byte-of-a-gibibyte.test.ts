import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import { openTunnel, startEgress, startIngress } from '../support/adit.ts';
import { certificates } from '../support/certificates.ts';
import { chaos } from '../support/chaos.ts';
import { pattern, patternHash } from '../support/pattern.ts';
import { client, service } from '../support/services.ts';
import { within } from '../support/scope.ts';

const megabytes = 1024;

/** Sends the whole pattern, then the end. */
async function pour(socket: Socket, seed: number): Promise<void> {
  for (const chunk of pattern(megabytes, seed)) if (!socket.write(chunk)) await once(socket, 'drain');
  socket.end();
}

/** The SHA-256 of everything that comes until the end; a reset is an error. */
async function drain(socket: Socket): Promise<string> {
  const hash = createHash('sha256');
  socket.on('data', (chunk: Buffer) => {
    hash.update(chunk);
  });
  await once(socket, 'end');
  return hash.digest('hex');
}

test('1 GiB each way at once, the carrier killed every 200 ms to 2 s: both hashes right', async () => {
  const files = certificates();
  let arrived: Promise<string> | undefined;
  const both = await service((socket) => {
    arrived = drain(socket);
    void pour(socket, 2);
  });
  const egress = await startEgress({ certificates: files });
  const network = await chaos(egress.port, { killAfterMs: [200, 2_000], seed: 7 });
  const ingress = await startIngress({
    certificates: files,
    egressPort: network.port,
    to: { both: both.at },
    flags: ['--connect-timeout', '60s'],
  });
  const { socket } = await client(ingress.ports['both']!);
  const sent = pour(socket, 1);
  expect(await within(400_000, 'a gibibyte down', drain(socket), () => `${network.kills} kills`)).toBe(
    patternHash(megabytes, 2),
  );
  await sent;
  expect(await within(100_000, 'a gibibyte up', arrived!)).toBe(patternHash(megabytes, 1));
  expect(network.kills).toBeGreaterThan(2);
  expect(ingress.process.all('connected', { resumed: true })).toHaveLength(ingress.process.all('connected').length - 1);
}, 600_000);

test('a swap by SIGUSR2, and one for the age of the carrier, lose nothing under load', async () => {
  const sink = await service((socket) => {
    void drain(socket).then(
      (hash) => {
        socket.end(hash);
      },
      () => {},
    );
  });
  const tunnel = await openTunnel({ to: { sink: sink.at }, ingress: { flags: ['--max-carrier-age', '400ms'] } });
  const { socket, received } = await client(tunnel.port('sink'));
  const hash = createHash('sha256');
  const chunk = [...pattern(1, 3)][0]!;
  for (let swaps = 0; swaps < 6; swaps = tunnel.ingress.process.all('connected', { resumed: true }).length) {
    hash.update(chunk);
    if (!socket.write(chunk)) await once(socket, 'drain');
    if (swaps === 3) tunnel.ingress.process.signal('SIGUSR2');
  }
  socket.end();
  expect(await within(60_000, 'the answer', received)).toEqual({
    bytes: Buffer.from(hash.digest('hex')),
    ending: 'end',
  });
});
