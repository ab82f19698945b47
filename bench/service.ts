/**
 * The services behind the tunnel: an iperf3 server, and an nginx that answers every request with three bytes.
 * Rule: both are started anew for each measurement: one broken transfer leaves an iperf3 busy, and no pair inherits the
 * state of another.
 */
import { join } from 'node:path';
import { nginxCommand } from './peers/nginx.ts';
import { Child } from './process/child.ts';
import { freePorts, untilListening } from './process/port.ts';
import { requireProgram } from './process/program.ts';

export interface Service {
  readonly port: number;
  stop(): Promise<void>;
}

/** An iperf3 server. */
export async function startIperf3(folder: string): Promise<Service> {
  return start('iperf3', folder, (port) => [requireProgram('iperf3'), '-s', '-B', '127.0.0.1', '-p', String(port)]);
}

/** An HTTP server of one worker whose connections live as long as the client wants. */
export async function startHttp(folder: string): Promise<Service> {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (use) => `  ${use}_temp_path ${join(folder, use)};`,
  );
  return start('http', folder, (port) =>
    nginxCommand(requireProgram('nginx'), {
      folder,
      name: 'http',
      workers: 1,
      connections: 16_000,
      body: [
        'http {',
        ...temporary,
        '  access_log off;',
        '  keepalive_requests 100000000;',
        '  keepalive_timeout 1h;',
        `  server { listen 127.0.0.1:${port} backlog=4096; location / { return 200 'ok\\n'; } }`,
        '}',
      ],
    }),
  );
}

async function start(name: string, folder: string, command: (port: number) => readonly string[]): Promise<Service> {
  const [port] = (await freePorts(1)) as [number];
  const child = new Child(command(port), { name: `service ${name}`, logFile: join(folder, `${name}.log`) });
  try {
    await untilListening(port, child);
  } catch (error) {
    await child.stop();
    throw error;
  }
  return { port, stop: () => child.stop() };
}
