import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { openTunnel } from '../support/adit.ts';
import { openCuttableTunnel } from '../support/cuttable-tunnel.ts';
import { pattern } from '../support/pattern.ts';
import { pouring, poursBothWays } from '../support/pouring.ts';
import { sha256OfStream } from '../support/sha256.ts';
import { client, service } from '../support/services.ts';
import { within } from '../support/scope.ts';

const megabytes = 1024;

test('1 GiB each way at once, the carrier killed every 200 ms to 2 s: both hashes right', async () => {
  const both = await pouring(megabytes);
  const { ingress, network, port } = await openCuttableTunnel({
    to: { both: both.at },
    network: { killAfterMs: [200, 2_000], seed: 7 },
    ingress: { flags: ['--connect-timeout', '60s'] },
  });

  await poursBothWays(both, {
    port: port('both'),
    megabytes,
    withinMs: 400_000,
    detail: () => `${network.kills} kills`,
  });

  expect(network.kills).toBeGreaterThan(2);
  const resumed = ingress.process.all('connected', { resumed: true });
  expect(resumed).toHaveLength(ingress.process.all('connected').length - 1);
}, 600_000);

test('a swap by SIGUSR2, and one for the age of the carrier, lose nothing under load', async () => {
  const sink = await service((socket) => {
    void sha256OfStream(socket).then(
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
