import { certificates } from '../support/certificates.ts';
import { haproxyInFront } from '../support/intermediary.ts';
import { find, scenario } from '../support/scenario.ts';
import { webSocketPairs, type WebSocketPairs } from '../support/websocket-pair.ts';
import { carrierContract } from './carrier-contract.ts';

const certs = certificates();
let pairs: Promise<WebSocketPairs> | undefined;

if (find('haproxy') === undefined)
  scenario('the carrier contract through haproxy', ['haproxy'], async () => {
    /* skipped, or a failure in CI */
  });
else
  carrierContract('WebSocket through haproxy, which ends TLS', async () =>
    (
      await (pairs ??= webSocketPairs(certs, 'websocket+tls', {
        through: (front) =>
          haproxyInFront(front, {
            'send-proxy-v2 ': '',
            'option httpchk': '',
            'http-check send meth GET uri /healthz ver HTTP/1.1 hdr Host tunnel.example.org': '',
          }),
      }))
    ).pair({ path: '/.well-known/adit' }),
  );
