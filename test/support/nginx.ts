/**
 * nginx: one with a folder to serve and to PUT into, over plain HTTP and over TLS with HTTP/2; and one with any
 * configuration.
 * Rule: what listens is up when a starter returns.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { certificates } from './certificates.ts';
import { Child, run, type Finished, type StartOptions } from './child.ts';
import { find } from './scenario.ts';
import { temporaryFolder } from './scope.ts';
import { closedPort } from './services.ts';

export interface Nginx {
  /** `127.0.0.1:PORT` */
  readonly http: string;
  readonly https: string;
  /** Served at `/`. */
  readonly files: string;
  /** PUT to `/uploads/NAME` lands here. */
  readonly uploads: string;
  /** CA of the TLS side, which is localhost. */
  readonly ca: string;
}

/** Debian ships it as a module of its own. */
const streamModule = '/usr/lib/nginx/modules/ngx_stream_module.so';

export async function startNginx(): Promise<Nginx> {
  const folder = temporaryFolder();
  const [files, uploads] = [join(folder, 'files'), join(folder, 'files', 'uploads')];
  mkdirSync(uploads, { recursive: true });
  const { egress, ca } = certificates();
  const [http, https] = [`127.0.0.1:${await closedPort()}`, `127.0.0.1:${await closedPort()}`];
  await startNginxWith(
    inHttp(`
      sendfile on; tcp_nodelay on; client_max_body_size 0; keepalive_requests 100000;
      server {
        listen ${http}; listen ${https} ssl http2;
        ssl_certificate ${egress.cert}; ssl_certificate_key ${egress.key};
        root ${files}; default_type application/octet-stream;
        location /uploads/ { dav_methods PUT; }
        location = /hello { return 200 "hello from nginx over $server_protocol\\n"; }
      }`),
  );
  return { http, https, files, uploads, ca };
}

/** These servers in an `http {}` block. */
export function inHttp(servers: string): string {
  return `http {\n  access_log off;\n${servers}\n}\n`;
}

/** nginx with these blocks (`http {}`, `stream {}`) beside `events {}`. */
export async function startNginxWith(blocks: string, start: StartOptions = {}): Promise<Child> {
  const nginx = new Child(find('nginx')!, [...written(blocks), '-e', 'stderr'], { name: 'nginx', ...start });
  await nginx.line(/using the "epoll" event method|start worker|OS: /);
  return nginx;
}

/** What nginx says about these blocks, without running them. */
export function checkNginx(blocks: string): Promise<Finished> {
  return run(find('nginx')!, ['-t', ...written(blocks), '-e', 'stderr']);
}

/** The configuration in a folder of its own, as arguments. */
function written(blocks: string): string[] {
  const folder = temporaryFolder();
  const file = join(folder, 'nginx.conf');
  mkdirSync(join(folder, 'tmp'));
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  const module = blocks.includes('stream {') && existsSync(streamModule) ? `load_module ${streamModule};` : '';
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((what) => `${what}_temp_path ${folder}/tmp;`)
    .join(' ');
  writeFileSync(
    file,
    `${module} daemon off; master_process off; ${user} pid ${folder}/pid; error_log stderr notice;\nevents { ` +
      `worker_connections 4096; }\n${blocks.replace('http {', `http { ${paths}`)}`,
  );
  return ['-p', folder, '-c', file];
}
