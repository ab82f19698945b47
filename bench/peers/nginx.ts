/**
 * nginx's stream module, two workers a process (one for each core of the reference machine), no log. TLS 1.3 only, both
 * certificates verified, the name of the server checked; it resumes its TLS sessions, as it does by default.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { serverName } from '../pki.ts';
import { configuration } from './configuration.ts';
import { programPeer } from './program-peer.ts';

/** Distributions ship the stream module as a file; elsewhere it is compiled in. */
const streamModule = '/usr/lib/nginx/modules/ngx_stream_module.so';

/** A worker may get all connections, two sockets for each, and has a few of its own. */
const spare = 64;

/** The command that starts an nginx in the foreground whose every file lies in `folder`. */
export function nginxCommand(
  program: string,
  {
    folder,
    name,
    workers,
    connections,
    body,
  }: {
    readonly folder: string;
    readonly name: string;
    readonly workers: number;
    /** The most that each worker has open; memory for each is taken at the start. */
    readonly connections: number;
    readonly body: readonly string[];
  },
): string[] {
  const file = configuration(folder, `${name}.conf`, [
    ...(existsSync(streamModule) ? [`load_module ${streamModule};`] : []),
    `worker_processes ${workers};`,
    'daemon off;',
    `pid ${join(folder, `${name}.pid`)};`,
    `events { worker_connections ${connections}; }`,
    ...body,
  ]);
  return [program, '-e', join(folder, `${name}.error.log`), '-c', file];
}

/**
 * Whether the stream module is part of the program, by what `nginx -V` says of its build: `--with-stream` and not
 * `--with-stream=dynamic`.
 */
export function hasStream(build: string): boolean {
  return /(^|\s)--with-stream(\s|$)/m.test(build);
}

export const nginx = programPeer({
  program: 'nginx',
  versionFlag: '-v',
  fault: (program) =>
    existsSync(streamModule) || hasStream(spawnSync(program, ['-V'], { encoding: 'utf8' }).stderr ?? '')
      ? undefined
      : 'without its stream module (Debian: libnginx-mod-stream)',
  commands: (program, { folder, pki, ingressPort, egressHost, egressPort, servicePort, connections }) => ({
    egress: nginxCommand(program, {
      folder,
      name: 'egress',
      workers: 2,
      connections: 2 * connections + spare,
      body: [
        'stream { server {',
        `  listen ${egressHost}:${egressPort} ssl backlog=4096;`,
        `  proxy_pass 127.0.0.1:${servicePort};`,
        '  proxy_timeout 1h;',
        `  ssl_certificate ${pki.server.cert};`,
        `  ssl_certificate_key ${pki.server.key};`,
        `  ssl_client_certificate ${pki.ca};`,
        '  ssl_verify_client on;',
        '  ssl_protocols TLSv1.3;',
        '} }',
      ],
    }),
    ingress: nginxCommand(program, {
      folder,
      name: 'ingress',
      workers: 2,
      connections: 2 * connections + spare,
      body: [
        'stream { server {',
        `  listen 127.0.0.1:${ingressPort} backlog=4096;`,
        `  proxy_pass ${egressHost}:${egressPort};`,
        '  proxy_timeout 1h;',
        '  proxy_ssl on;',
        '  proxy_ssl_protocols TLSv1.3;',
        `  proxy_ssl_certificate ${pki.client.cert};`,
        `  proxy_ssl_certificate_key ${pki.client.key};`,
        `  proxy_ssl_trusted_certificate ${pki.ca};`,
        '  proxy_ssl_verify on;',
        `  proxy_ssl_name ${serverName};`,
        '} }',
      ],
    }),
  }),
});
