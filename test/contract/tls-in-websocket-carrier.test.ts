import { expect, test } from '@jest/globals';
import { certificates } from '../support/certificates.ts';
import { webSocketPairs } from '../support/websocket-pair.ts';
import { carrierContract } from './carrier-contract.ts';

const certs = certificates();
const pairs = await webSocketPairs(certs, 'websocket+tls');

carrierContract('TLS inside a WebSocket', () => pairs.pair());

test('the form is the one through an intermediary', async () => {
  const { client, server } = await pairs.pair();
  expect(client).toMatchObject({ kind: 'websocket+tls', remote: `wss://127.0.0.1:${pairs.port}/adit` });
  for (const { duplex } of [client, server]) duplex.destroy();
});
