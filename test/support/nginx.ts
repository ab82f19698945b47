/**
 * nginx with a folder to serve and to PUT into, over plain HTTP and over TLS with HTTP/2.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { certificates } from './certificates.ts';
import { Child } from './child.ts';
import { find } from './scenario.ts';
import { temporaryFolder } from './scope.ts';
import { closedPort } from './services.ts';

export interface Nginx { /** `127.0.0.1:PORT` */ readonly http: string; readonly https: string; /** Served at `/`. */ readonly files: string; /** PUT to `/uploads/NAME` lands here. */ readonly uploads: string; /** CA of the TLS side, which is localhost. */ readonly ca: string }

export async function startNginx(): Promise<Nginx> {
  const folder = temporaryFolder();
  const [files, uploads] = [join(folder, 'files'), join(folder, 'files', 'uploads')];
  mkdirSync(uploads, { recursive: true });
  mkdirSync(join(folder, 'tmp'));
  const { egress, ca } = certificates();
  const [http, https] = [`127.0.0.1:${await closedPort()}`, `127.0.0.1:${await closedPort()}`];
  const runsAs = process.getuid?.() === 0 ? 'user root;' : '';
  writeFileSync(join(folder, 'nginx.conf'), `
    daemon off; master_process off; ${runsAs} pid ${folder}/pid; error_log stderr notice;
    events { worker_connections 4096; }
    http {
      access_log off; sendfile on; tcp_nodelay on; client_max_body_size 0; keepalive_requests 100000;
      client_body_temp_path ${folder}/tmp; proxy_temp_path ${folder}/tmp; fastcgi_temp_path ${folder}/tmp; uwsgi_temp_path ${folder}/tmp; scgi_temp_path ${folder}/tmp;
      server {
        listen ${http}; listen ${https} ssl http2;
        ssl_certificate ${egress.cert}; ssl_certificate_key ${egress.key};
        root ${files}; default_type application/octet-stream;
        location /uploads/ { dav_methods PUT; }
        location = /hello { return 200 "hello from nginx over $server_protocol\\n"; }
      }
    }`);
  const nginx = new Child(find('nginx')!, ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr'], { name: 'nginx' });
  await nginx.line(/using the "epoll" event method|start worker|OS: /);
  return { http, https, files, uploads, ca };
}
