import { certificates } from '../support/certificates.ts';
import { nginxInFront } from '../support/intermediary.ts';
import { find, scenario } from '../support/scenario.ts';
import { webSocketPairs, type WebSocketPairs } from '../support/websocket-pair.ts';
import { carrierContract } from './carrier-contract.ts';

const certs = certificates();
let pairs: Promise<WebSocketPairs> | undefined;

if (find('nginx') === undefined)
  scenario('the carrier contract through nginx', ['nginx'], async () => {
    /* skipped, or a failure in CI */
  });
else
  carrierContract('WebSocket through nginx, which ends TLS', async () =>
    (await (pairs ??= webSocketPairs(certs, 'websocket+tls', { through: (front) => nginxInFront(front) }))).pair({
      path: '/.well-known/adit',
    }),
  );
