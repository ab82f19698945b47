import { expect, test } from '@jest/globals';
import { certificates } from '../support/certificates.ts';
import { webSocketPairs } from '../support/websocket-pair.ts';
import { carrierContract } from './carrier-contract.ts';

const certs = certificates();
const pairs = await webSocketPairs(certs, 'websocket');

carrierContract('WebSocket', () => pairs.pair());

test('the form is the direct one', async () => {
  const { client, server } = await pairs.pair();
  expect(client).toMatchObject({ kind: 'websocket', remote: `wss://127.0.0.1:${pairs.port}/adit` });
  for (const { duplex } of [client, server]) duplex.destroy();
});
