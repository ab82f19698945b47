import { connect } from 'node:net';
import { expect } from '@jest/globals';
import { openTunnel, type Tunnel } from '../support/adit.ts';
import { policyOfWeb } from '../support/backends.ts';
import { startHaproxy } from '../support/haproxy.ts';
import { inHttp, startNginxWith } from '../support/nginx.ts';
import { scenario } from '../support/scenario.ts';
import { closedPort, receive } from '../support/services.ts';
import { startVarnish } from '../support/varnish.ts';

/** Where the client of the tunnel is. */
const laptop = '127.0.0.77';

/** Asks by HTTP from the laptop; gives its port there and the body of the answer. */
async function get(port: number): Promise<{ readonly from: string; readonly body: string }> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: laptop, allowHalfOpen: true });
  socket.on('connect', () => {
    socket.write('GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n');
  });
  const { bytes } = await receive(socket);
  const from = `${laptop}:${socket.localPort}`;
  socket.destroy();
  const text = bytes.toString();
  expect(text).toMatch(/^HTTP\/1\.1 200 /);
  return { from, body: text.slice(text.indexOf('\r\n\r\n') + 4) };
}

/** With checks, so that their headers are read, too: one that could not be read would take the backend down. */
const openTo = (backend: string, version: 'v1' | 'v2'): Promise<Tunnel> =>
  openTunnel({
    to: { web: 'web' },
    policy: policyOfWeb({ backends: [backend], 'proxy-protocol': version, health: { interval: '200ms', fall: 1 } }),
  });

async function settled({ egress: { process: egress } }: Tunnel): Promise<string> {
  const { session, stream } = await egress.event('stream', { end: 'finished' });
  expect(egress.all('backend-down')).toEqual([]);
  return `${String(session)}-${String(stream)}`;
}

for (const version of ['v1', 'v2'] as const) {
  scenario(`nginx reads our header ${version}`, ['nginx'], async () => {
    const port = await closedPort();
    await startNginxWith(
      inHttp(
        `server { listen 127.0.0.1:${port} proxy_protocol; return 200 ` +
          '"$proxy_protocol_addr:$proxy_protocol_port to ' +
          '$proxy_protocol_server_addr:$proxy_protocol_server_port"; }',
      ),
    );
    const tunnel = await openTo(`127.0.0.1:${port}`, version);
    const { from, body } = await get(tunnel.port('web'));

    expect(body).toBe(`${from} to 127.0.0.1:${port}`);
    await settled(tunnel);
  });

  scenario(`HAProxy reads our header ${version}`, ['haproxy'], async () => {
    const port = await closedPort();
    await startHaproxy(
      'defaults\n    mode http\n    timeout client 30s\n    timeout server 30s\n    timeout connect 5s\n\n' +
        `frontend web\n    bind 127.0.0.1:${port} accept-proxy\n    http-request return status 200 content-type ` +
        'text/plain lf-string "%[src]:%[src_port] to %[dst]:%[dst_port] [%[fc_pp_authority]] ' +
        '[%[fc_pp_unique_id]]"\n',
    );
    const tunnel = await openTo(`127.0.0.1:${port}`, version);
    const { from, body } = await get(tunnel.port('web'));
    const stream = await settled(tunnel);

    expect(body).toBe(`${from} to 127.0.0.1:${port} ${version === 'v1' ? '[] []' : `[web] [${stream}]`}`);
  });
}

scenario(
  'Varnish reads the certificate of our client from the header: its name, that it was verified, and the version of TLS',
  ['varnishd', 'gcc'],
  async () => {
    const port = await startVarnish([
      'proxy.authority()',
      'proxy.is_ssl()',
      'proxy.client_has_cert_conn()',
      'proxy.client_has_cert_sess()',
      'proxy.ssl_verify_result()',
      'proxy.client_cert_cn()',
      'proxy.ssl_version()',
      'client.ip',
    ]);
    const tunnel = await openTo(`127.0.0.1:${port}`, 'v2');

    expect((await get(tunnel.port('web'))).body).toBe(`web true true true 0 alice TLSv1.3 ${laptop}`);
  },
);
