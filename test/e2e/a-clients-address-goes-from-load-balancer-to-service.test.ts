import { once } from 'node:events';
import net from 'node:net';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { drive } from '@adit/shared/net/drive';
import { awaitProxyHeader } from '@adit/shared/protocol/proxy-protocol';
import { startEgress, startIngress } from '../support/adit.ts';
import { certificates } from '../support/certificates.ts';
import { startHaproxy } from '../support/haproxy.ts';
import { scenario } from '../support/scenario.ts';
import { atEnd, temporaryFolder, within } from '../support/scope.ts';
import { closedPort, receive, service } from '../support/services.ts';

const defaults = 'defaults\n    mode tcp\n    timeout connect 10s\n    timeout client 60s\n    timeout server 60s\n\n';
const options = {
  deadlineMs: 30_000,
  maxBytes: 4_096,
  peer: 'the egress',
  codes: { timeout: 'LINK_TIMEOUT', closed: 'LINK_LOST', garbage: 'PROTOCOL_ERROR' },
} as const;

scenario(
  'by Unix sockets of ingress and egress, each behind HAProxy, a service learns the address of the client of the first',
  ['haproxy'],
  async () => {
    const files = certificates();
    const folder = temporaryFolder();
    const [near, far] = [join(folder, 'ingress.sock'), join(folder, 'egress.sock')];
    const heard: string[] = [];
    const web = await service(
      (socket) => {
        void drive(socket, awaitProxyHeader(), options).then(({ value, rest }) => {
          heard.push(`${value.source?.host}:${value.source?.port}`);
          socket.write(rest);
          socket.pipe(socket);
        });
      },
      { pauseOnConnect: true },
    );
    const [toIngress, toEgress] = [await closedPort(), await closedPort()];
    const policy = JSON.stringify({
      version: 1,
      services: { web: { backends: [`tcp://${web.at}`], 'proxy-protocol': 'v2' } },
      rules: [{ name: 'web', identities: ['alice'], allow: ['web'] }],
    });
    const egress = await startEgress({ certificates: files, policy, flags: ['--listen', `${far}?accept-proxy`] });
    await egress.process.event('listening', { address: far });
    await startHaproxy(`${defaults}listen ingress
    bind 127.0.0.1:${toIngress}
    server ingress unix@${near} send-proxy

listen egress
    bind 127.0.0.1:${toEgress}
    source 127.0.0.1
    server egress unix@${far} send-proxy-v2
`);
    const ingress = await startIngress({
      certificates: files,
      egressPort: toEgress,
      to: {},
      flags: ['-L', `${near}?accept-proxy:web`],
    });
    await ingress.process.event('listening', { address: near });
    const socket = net.connect({ port: toIngress, host: '127.0.0.1', localAddress: '127.0.0.77', allowHalfOpen: true });
    atEnd(() => socket.destroy());
    const received = receive(socket);
    await once(socket, 'connect');
    const client = `127.0.0.77:${socket.localPort}`;
    socket.end('hello');
    expect(await within(30_000, 'the answer', received)).toEqual({ bytes: Buffer.from('hello'), ending: 'end' });
    expect(heard).toEqual([client]);
    expect(await egress.process.event('stream', { client })).toMatchObject({
      requested: 'web',
      end: 'finished',
      remote: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
    });
    expect(await egress.process.event('connected')).toMatchObject({
      remote: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      carrier: 'tls',
    });
  },
);
