import { once } from 'node:events';
import net from 'node:net';
import { expect } from '@jest/globals';
import { listeningPort, openTunnel } from '../support/adit.ts';
import { inTcp, startHaproxy } from '../support/haproxy.ts';
import { scenario } from '../support/scenario.ts';
import { atEnd, within } from '../support/scope.ts';
import { closedPort, echo, receive } from '../support/services.ts';

for (const header of ['send-proxy', 'send-proxy-v2']) {
  scenario(
    `${header}: the egress records the client that HAProxy names, for a forward and for a SOCKS proxy`,
    ['haproxy'],
    async () => {
      const service = await echo();
      const { ingress, egress } = await openTunnel({
        to: {},
        ingress: {
          flags: ['-L', `127.0.0.1:0?accept-proxy:${service.at}`, '--socks', '0?accept-proxy', '--log-level', 'debug'],
        },
      });
      const forward = await listeningPort(ingress.process, ({ forward: spec }) => spec !== undefined);
      const socks = await listeningPort(ingress.process, ({ socks: spec }) => spec !== undefined);
      const [toForward, toSocks] = [await closedPort(), await closedPort()];
      await startHaproxy(
        inTcp(`
listen forward
    bind 127.0.0.1:${toForward}
    server ingress 127.0.0.1:${forward} ${header}
listen socks
    bind 127.0.0.1:${toSocks}
    server ingress 127.0.0.1:${socks} ${header} check inter 100ms
`),
      );
      for (const [port, localAddress, hello, answer] of [
        [toForward, '127.0.0.7', '', ''],
        [
          toSocks,
          '127.0.0.8',
          `\x04\x01${String.fromCharCode(service.port >> 8, service.port & 0xff)}\x7f\x00\x00\x01\x00`,
          '\x00\x5a\x00\x00\x00\x00\x00\x00',
        ],
      ] as const) {
        const socket = net.connect({ port, host: '127.0.0.1', localAddress, allowHalfOpen: true });
        atEnd(() => socket.destroy());
        const received = receive(socket);
        await once(socket, 'connect');
        const client = `${localAddress}:${socket.localPort}`;
        socket.end(Buffer.from(`${hello}hello`, 'latin1'));
        expect((await within(30_000, 'the answer', received)).bytes.toString('latin1')).toBe(`${answer}hello`);
        expect(await egress.process.event('stream', { client })).toMatchObject({
          requested: service.at,
          end: 'finished',
          identity: 'spiffe://example.org/client/alice',
        });
        await ingress.process.event('connection', { client });
      }
      expect(egress.process.all('stream')).toHaveLength(2);
      expect(ingress.process.all('refused')).toEqual([]);
    },
  );
}
