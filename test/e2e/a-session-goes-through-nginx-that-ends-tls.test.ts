import { documented, adapted } from '../support/documented.ts';
import { startNginxWith, inHttp } from '../support/nginx.ts';
import { closedPort } from '../support/services.ts';
import { sessionsThrough } from '../support/sessions-through.ts';

const configuration = documented('networks.md', 'nginx ends TLS', 'nginx');

sessionsThrough('nginx', {
  remote: /^127\.0\.0\.1:\d+$/,
  start: async ({ pair, http }) => {
    const port = await closedPort();
    await startNginxWith(inHttp(adapted(configuration, { 'listen 443': `listen 127.0.0.1:${port}`, '/etc/nginx/tls/tunnel.crt': pair.cert, '/etc/nginx/tls/tunnel.key': pair.key, '127.0.0.1:8080': http })));
    return port;
  },
});
