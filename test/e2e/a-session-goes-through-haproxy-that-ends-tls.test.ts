import { documented, adapted } from '../support/documented.ts';
import { startHaproxy } from '../support/haproxy.ts';
import { closedPort } from '../support/services.ts';
import { sessionsThrough } from '../support/sessions-through.ts';

const configuration = documented('networks.md', 'HAProxy ends TLS', 'haproxy');

sessionsThrough('haproxy', {
  remote: /^127\.0\.0\.77:\d+$/, // of its PROXY header
  egressFlags: ['--accept-proxy-protocol', '127.0.0.1'],
  start: async ({ pem, http }) => {
    const port = await closedPort();
    await startHaproxy(adapted(configuration, { 'bind :443': `bind 127.0.0.1:${port}`, '/etc/haproxy/tls/tunnel.pem': pem, '10.0.0.5:8080': http }));
    return port;
  },
});
