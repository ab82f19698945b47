import { once } from 'node:events';
import net from 'node:net';
import { expect, test } from '@jest/globals';
import { atEnd } from '../../../../test/support/scope.ts';
import { smallProxy } from '../../../../test/support/small-proxy.ts';
import type { ProxyAddress } from '../protocol/proxy-address.ts';
import { askSocks5Proxy } from './socks5-proxy.ts';

const alice = { user: 'alice', password: 'hunter2' };
const bound = '\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50';

async function ask(
  answers: readonly string[],
  credentials?: ProxyAddress['credentials'],
): Promise<{ socket: net.Socket; asked: string[] }> {
  const { port, asked } = await smallProxy({ answers });
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => {});
  atEnd(() => {
    socket.destroy();
  });
  await once(socket, 'connect');
  await askSocks5Proxy(socket, {
    proxy: { scheme: 'socks5', host: 'proxy.example.org', port: 1080, ...(credentials && { credentials }) },
    to: { host: 'tunnel.example.org', port: 8443 },
    deadlineMs: 10_000,
  });
  return { socket, asked };
}

test('names the egress, and what follows the reply comes first', async () => {
  const { socket, asked } = await ask(['\x05\x02', '\x01\x00', `${bound}hello`], alice);
  expect(asked).toEqual([
    '\x05\x02\x00\x02',
    '\x01\x05alice\x07hunter2',
    '\x05\x01\x00\x03\x12tunnel.example.org\x20\xfb',
  ]);
  const first = once(socket, 'data');
  socket.resume();
  expect(String((await first)[0])).toBe('hello');
});

test.each([
  [
    ['\x05\xff'],
    undefined,
    'PROXY_AUTH_REQUIRED',
    'the proxy socks5://proxy.example.org:1080 refuses to log us in: it requires a user and password',
  ],
  [
    ['\x05\x02', '\x01\x01'],
    alice,
    'PROXY_AUTH_REQUIRED',
    'the proxy socks5://proxy.example.org:1080 refuses to log us in: it does not accept this user and password',
  ],
  [
    ['\x05\x00', '\x05\x02'],
    undefined,
    'PROXY_REFUSED',
    'the proxy socks5://proxy.example.org:1080 does not allow a connection to tunnel.example.org:8443: the ' +
      'rules of the proxy do not allow it (SOCKS reply 2)',
  ],
  [
    ['\x05\x00', '\x05\x05'],
    undefined,
    'EGRESS_UNREACHABLE',
    'the proxy socks5://proxy.example.org:1080 cannot reach tunnel.example.org:8443: nothing listens on that ' +
      'port (SOCKS reply 5)',
  ],
  [
    ['HTTP/1.1 400 Bad Request\r\n\r\n'],
    undefined,
    'PROXY_FAILED',
    'the proxy socks5://proxy.example.org:1080 sent something unexpected: not a SOCKS5 answer',
  ],
] as const)('a no is explained: %#', async (answers, credentials, code, message) => {
  await expect(ask(answers, credentials)).rejects.toMatchObject({ code, message });
});
