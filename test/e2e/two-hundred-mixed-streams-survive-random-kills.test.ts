import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { openCuttableTunnel } from '../support/cuttable-tunnel.ts';
import { client, hashing, service } from '../support/services.ts';
import { hashingAnswer, sha256 } from '../support/sha256.ts';
import { within } from '../support/scope.ts';

test('200 streams of every kind at once end as they should while carriers die after 64 KiB to 2 MiB', async () => {
  const sums = await hashing(); // the client ends first, the answer comes after
  const greets = await service((socket) => {
    socket.write('220 ready\r\n');
    socket.on('data', (chunk) => {
      socket.write(chunk);
    });
    socket.on('end', () => {
      socket.end('bye');
    });
  });
  const resets = await service((socket) => {
    let got = 0;
    socket.on('data', (chunk) => {
      got += chunk.length;
      if (got >= 100_000) socket.resetAndDestroy();
    });
  });
  const endsFirst = await service((socket) => {
    socket.end('early');
    let got = 0;
    socket.on('data', (chunk) => {
      got += chunk.length;
    });
    socket.on('end', () => {
      told.push(got);
    });
  });
  const told: number[] = [];
  const { egress, network, port } = await openCuttableTunnel({
    to: { sums: sums.at, greets: greets.at, resets: resets.at, endsFirst: endsFirst.at },
    network: { killAfterBytes: [65_536, 2_097_152], splitBytes: 9_001, seed: 11 },
    ingress: { flags: ['--connect-timeout', '60s'] },
  });
  const kinds = [
    async (n: number) => {
      const bytes = randomBytes(1 + ((n * 7_919) % 400_000));
      const { socket, received } = await client(port('sums'));
      socket.end(bytes);
      expect(String((await received).bytes)).toBe(hashingAnswer(bytes));
    },
    async (n: number) => {
      const bytes = randomBytes(1 + ((n * 104_729) % 200_000));
      const { socket, received } = await client(port('greets'));
      socket.write(bytes.subarray(0, 10));
      socket.end(bytes.subarray(10));
      const all = (await received).bytes;
      expect([sha256(all), all.length]).toEqual([
        sha256(Buffer.concat([Buffer.from('220 ready\r\n'), bytes, Buffer.from('bye')])),
        bytes.length + 14,
      ]);
    },
    async () => {
      const { socket, received } = await client(port('resets'));
      socket.write(randomBytes(150_000));
      expect((await received).ending).toBe('reset');
    },
    async (n: number) => {
      const { socket, received } = await client(port('endsFirst'));
      expect(await received).toEqual({ bytes: Buffer.from('early'), ending: 'end' });
      socket.end(randomBytes(50_000 + n));
      await once(socket, 'close');
    },
  ];

  await within(
    120_000,
    'two hundred streams',
    Promise.all(Array.from({ length: 200 }, (_, n) => kinds[n % kinds.length]!(n))),
    () => `${network.kills} kills`,
  );
  await endsFirst.idle();

  expect(told.sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, n) => 50_000 + 4 * n + 3));
  expect(network.kills).toBeGreaterThan(5);
  await egress.process.until('two hundred records', () =>
    egress.process.all('stream').length === 200 ? true : undefined,
  );
}, 180_000);
