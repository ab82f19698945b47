import { connect } from 'node:net';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { type Egress, type Ingress, portNamed, startEgress, startIngress } from '../support/adit.ts';
import { certificates } from '../support/certificates.ts';
import { chaos } from '../support/chaos.ts';
import { adapted, documented } from '../support/documented.ts';
import { startHaproxy } from '../support/haproxy.ts';
import { startNginxWith } from '../support/nginx.ts';
import { scenario } from '../support/scenario.ts';
import { ask, closedPort, echo } from '../support/services.ts';

const files = certificates();
/** The address that the load balancer sees, and the one that the egress sees. */
const [laptop, balancer] = ['127.0.0.77', '127.0.0.1'];

const newEgress = (): Promise<Egress> =>
  startEgress({ certificates: files, flags: ['--accept-proxy-protocol', balancer, '--log-level', 'debug'] });

/** HAProxy as the page of networks has it, before an egress; its port. */
async function haproxyBefore({ port }: Egress, changes: Readonly<Record<string, string>> = {}): Promise<number> {
  const front = await closedPort();
  const page = documented('networks.md', 'HAProxy passes TLS on', 'haproxy');
  const places = { 'bind :443': `bind 127.0.0.1:${front}`, '10.0.0.5:8443': `127.0.0.1:${port}` };
  await startHaproxy(adapted(page, { ...places, ...changes }));
  return front;
}

/** An ingress with a forward to an echo, and its port. */
async function ingressBefore(port: number, egress = `127.0.0.1:${port}`): Promise<Ingress & { readonly echo: number }> {
  const ingress = await startIngress({
    certificates: files,
    egressPort: port,
    egress,
    to: { echo: (await echo()).at },
  });
  return { ...ingress, echo: portNamed(ingress, 'echo') };
}

/** A laptop connects through a load balancer, loses its connection, and comes back. */
async function comeAndComeBack(egress: Egress, balancerPort: number): Promise<void> {
  const network = await chaos(balancerPort, { from: laptop });
  const ingress = await ingressBefore(network.port);
  expect(await egress.process.event('connected')).toMatchObject({
    remote: expect.stringMatching(/^127\.0\.0\.77:\d+$/),
    carrier: 'tls',
    resumed: false,
  });
  expect(await ask(ingress.echo, 'through a load balancer')).toBe('through a load balancer');
  expect(await egress.process.event('stream')).toMatchObject({
    end: 'finished',
    remote: expect.stringMatching(/^127\.0\.0\.77:\d+$/),
  });
  network.from = '127.0.0.78';
  network.cut();
  expect(await egress.process.event('connected', { resumed: true })).toMatchObject({
    remote: expect.stringMatching(/^127\.0\.0\.78:\d+$/),
  });
}

for (const version of ['send-proxy-v2', 'send-proxy']) {
  scenario(`HAProxy with ${version}`, ['haproxy'], async () => {
    const egress = await newEgress();
    const port = await haproxyBefore(egress, { 'send-proxy-v2': version });
    await comeAndComeBack(egress, port);
    expect(egress.process.all('denied')).toEqual([]); // its health checks begin with a header too
  });
}

scenario('HAProxy with a checksum in its header', ['haproxy'], async () => {
  const egress = await newEgress();
  const port = await haproxyBefore(egress, {
    'send-proxy-v2': 'send-proxy-v2 proxy-v2-options crc32c,unique-id,authority,ssl',
  });
  await comeAndComeBack(egress, port);
});

scenario('HAProxy that passes TLS on, around a WebSocket that the egress itself ends', ['haproxy'], async () => {
  const egress = await newEgress();
  const port = await haproxyBefore(egress);
  const network = await chaos(port, { from: laptop });
  const ingress = await ingressBefore(network.port, `wss://127.0.0.1:${network.port}`);

  expect(await egress.process.event('connected')).toMatchObject({
    carrier: 'websocket',
    remote: expect.stringMatching(/^127\.0\.0\.77:\d+$/),
  });
  expect(await ingress.process.event('connected')).toMatchObject({ carrier: 'websocket' });
  expect(await ask(ingress.echo, 'direct')).toBe('direct');
});

scenario('nginx with proxy_protocol', ['nginx'], async () => {
  const egress = await newEgress();
  const port = await closedPort();
  await startNginxWith(
    adapted(documented('networks.md', 'nginx passes TLS on', 'nginx'), {
      'listen 443': `listen 127.0.0.1:${port}`,
      '127.0.0.1:8443': `127.0.0.1:${egress.port}`,
    }),
  );

  await comeAndComeBack(egress, port);
});

scenario('nginx that tells names apart, with the egress as one of them', ['nginx'], async () => {
  const egress = await newEgress();
  const port = await closedPort();
  const text = adapted(documented('networks.md', 'nginx shares its port', 'nginx'), {
    'listen 443': `listen 127.0.0.1:${port}`,
    '127.0.0.1:8443': `127.0.0.1:${egress.port}`,
    'tunnel.example.org': 'localhost',
  });
  await startNginxWith(text);
  const ingress = await ingressBefore(port, `localhost:${port}`);

  await egress.process.event('connected');

  expect(await ask(ingress.echo, 'by name')).toBe('by name');
});

test('a client that is no load balancer needs no header; a load balancer without one gets no session', async () => {
  const egress = await newEgress();
  const [straight, trusted] = [
    await chaos(egress.port, { from: laptop }),
    await chaos(egress.port, { from: balancer }),
  ];
  const ingress = await ingressBefore(straight.port);

  expect(await egress.process.event('connected')).toMatchObject({ remote: expect.stringMatching(/^127\.0\.0\.77:/) });
  expect(await ask(ingress.echo, 'straight')).toBe('straight');
  const headless = await ingressBefore(trusted.port);
  expect(await egress.process.event('denied')).toMatchObject({
    level: 'warn',
    code: 'PROTOCOL_ERROR',
    remote: expect.stringMatching(/^127\.0\.0\.1:/),
    reason: expect.stringContaining('--accept-proxy-protocol'),
  });
  expect(await headless.process.event('retrying')).toMatchObject({ code: expect.any(String) });
});

test('a client that is no load balancer cannot claim an address', async () => {
  const egress = await newEgress();
  const socket = connect({ port: egress.port, host: '127.0.0.1', localAddress: laptop });

  socket.on('error', () => {
    /* the log is what counts */
  });
  await once(socket, 'connect');
  socket.write('PROXY TCP4 192.0.2.1 192.0.2.2 1 443\r\n');

  expect(await egress.process.event('handshake')).toMatchObject({
    remote: expect.stringMatching(/^127\.0\.0\.77:/),
    reason: 'ERR_SSL_WRONG_VERSION_NUMBER',
  });
  socket.destroy();
});
