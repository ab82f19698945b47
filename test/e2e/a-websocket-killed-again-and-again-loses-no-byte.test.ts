import { expect, test } from '@jest/globals';
import { openCuttableTunnel } from '../support/cuttable-tunnel.ts';
import { pouring, poursBothWays } from '../support/pouring.ts';

const megabytes = 128;
const path = '/through/here';

test('128 MiB each way at once over a WebSocket that is killed every 0.2 to 1 s: both hashes right', async () => {
  const both = await pouring(megabytes);
  const { ingress, network, port } = await openCuttableTunnel({
    to: { both: both.at },
    network: { killAfterMs: [200, 1_000], seed: 11 },
    egress: { flags: ['--ws-path', path] },
    egressAt: (egressPort) => `wss://127.0.0.1:${egressPort}${path}`,
  });
  const ofWebSocket = { carrier: 'websocket', egress: `wss://127.0.0.1:${network.port}${path}` };
  await ingress.process.event('connected', ofWebSocket);

  await poursBothWays(both, {
    port: port('both'),
    megabytes,
    withinMs: 200_000,
    detail: () => `${network.kills} kills`,
  });

  expect(network.kills).toBeGreaterThan(0);
  const resumed = ingress.process.all('connected', { resumed: true, carrier: 'websocket' });
  expect(resumed).toHaveLength(ingress.process.all('connected').length - 1);
}, 300_000);
