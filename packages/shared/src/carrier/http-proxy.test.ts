import { once } from 'node:events';
import net from 'node:net';
import { expect, test } from '@jest/globals';
import { atEnd } from '../../../../test/support/scope.ts';
import { smallProxy, type SmallProxyOptions } from '../../../../test/support/small-proxy.ts';
import type { ProxyAddress } from '../protocol/proxy-address.ts';
import { askHttpProxy } from './http-proxy.ts';

const to = { host: 'tunnel.example.org', port: 8443 };
const alice = { user: 'alice', password: 'hunter2' };

async function ask(
  options: SmallProxyOptions,
  credentials?: ProxyAddress['credentials'],
): Promise<{ socket: net.Socket; asked: string[]; name: string }> {
  const { port, asked } = await smallProxy(options);
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => {});
  atEnd(() => {
    socket.destroy();
  });
  await once(socket, 'connect');
  await askHttpProxy(socket, {
    proxy: { scheme: 'http', host: '127.0.0.1', port, ...(credentials && { credentials }) },
    to,
    deadlineMs: 10_000,
  });
  return { socket, asked, name: `http://127.0.0.1:${port}` };
}

async function refused(
  answer: string,
  { credentials, ...options }: Partial<SmallProxyOptions> & { credentials?: ProxyAddress['credentials'] } = {},
): Promise<{ code: string; message: string }> {
  const error = await ask({ answers: [answer], ...options }, credentials).then(
    () => {
      throw new Error('it was not refused');
    },
    (thrown: unknown) => thrown as { code: string; message: string },
  );
  return { code: error.code, message: error.message.replace(/127\.0\.0\.1:\d+/, 'PROXY') };
}

test('says where to, and who we are where the proxy is to know; what follows the answer comes first', async () => {
  const { socket, asked } = await ask({ answers: ['HTTP/1.1 200 Connection established\r\n\r\nSSH-2.0-x'] }, alice);
  expect(asked).toEqual([
    'CONNECT tunnel.example.org:8443 HTTP/1.1\r\nHost: tunnel.example.org:8443\r\nUser-Agent: adit\r\n' +
      `Proxy-Authorization: Basic ${Buffer.from('alice:hunter2').toString('base64')}\r\n\r\n`,
  ]);
  const first = once(socket, 'data');
  socket.resume();
  expect(String((await first)[0])).toBe('SSH-2.0-x');
});

test('says nothing of a user where there is none', async () => {
  const { asked } = await ask({ answers: ['HTTP/1.0 200 OK\r\n\r\n'] });
  expect(asked[0]).not.toContain('Authorization');
});

test.each([
  [
    'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="a, b"\r\n' +
      'Proxy-Authenticate: Negotiate\r\nContent-Length: 0\r\n\r\n',
    'PROXY_AUTH_REQUIRED',
    'the proxy http://PROXY wants a user and password (407 Proxy Authentication Required); it accepts Basic, Negotiate',
  ],
  [
    'HTTP/1.1 407 No\r\nProxy-Authenticate: Negotiate, NTLM, Digest realm="x", nonce="y"\r\nContent-Length: 0\r\n\r\n',
    'PROXY_AUTH_REQUIRED',
    'the proxy http://PROXY wants a user and password (407 No); it accepts Negotiate, NTLM, Digest, and Adit ' +
      'supports only Basic: use a local proxy that supports the others, such as cntlm or px',
  ],
  [
    'HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n',
    'PROXY_AUTH_REQUIRED',
    'the proxy http://PROXY wants a user and password (407 No); it does not say which ways to log in it accepts',
  ],
  [
    'HTTP/1.1 403 Forbidden\r\nX-Squid-Error: ERR_ACCESS_DENIED 0\r\nContent-Length: 3\r\n\r\nno!',
    'PROXY_REFUSED',
    'the proxy http://PROXY does not allow a connection to tunnel.example.org:8443 (403 Forbidden: ' +
      'ERR_ACCESS_DENIED 0)',
  ],
  [
    'HTTP/1.1 403 \r\nContent-Length: 77\r\n\r\n<html><head><title>T</title></head><body>\r\n' +
      '<p>Ask&nbsp;the <b>desk</b>\x1b[2J</body>',
    'PROXY_REFUSED',
    'the proxy http://PROXY does not allow a connection to tunnel.example.org:8443 (403: Ask the desk \\x1b[2J)',
  ],
  [
    'HTTP/1.1 502 Bad Gateway\r\nProxy-Status: edge; error=dns_error\r\nContent-Length: 0\r\n\r\n',
    'EGRESS_UNREACHABLE',
    'the proxy http://PROXY cannot reach tunnel.example.org:8443 (502 Bad Gateway: edge; error=dns_error)',
  ],
  [
    'HTTP/1.1 503 Service Unavailable\r\nX-Squid-Error: ERR_CONNECT_FAIL 111\r\nContent-Length: 0\r\n\r\n',
    'EGRESS_UNREACHABLE',
    'the proxy http://PROXY cannot reach tunnel.example.org:8443 (503 Service Unavailable: ERR_CONNECT_FAIL 111)',
  ],
  [
    'HTTP/1.1 504 T\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b',
    'EGRESS_UNREACHABLE',
    'the proxy http://PROXY cannot reach tunnel.example.org:8443 (504 T)',
  ],
  [
    'HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n',
    'PROXY_REFUSED',
    'the proxy http://PROXY does not support CONNECT, at least not to tunnel.example.org:8443 (405 Method Not Allowed)',
  ],
  [
    'HTTP/1.1 302 Found\r\nLocation: http://login/\r\nContent-Length: nonsense\r\n\r\n',
    'PROXY_REFUSED',
    'the proxy http://PROXY does not allow a connection to tunnel.example.org:8443 (302 Found)',
  ],
  [
    'HTTP/1.1 200 OK\n\n',
    'PROXY_FAILED',
    'the proxy http://PROXY sent something unexpected: a line that does not end in CR LF',
  ],
  ['SSH-2.0-OpenSSH\r\n', 'PROXY_FAILED', 'the proxy http://PROXY sent something unexpected: no answer of HTTP/1'],
  [
    `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(70_000)}`,
    'PROXY_FAILED',
    'the proxy http://PROXY sent something unexpected: a head of more than 65536 bytes',
  ],
])('%j is explained', async (answer, code, message) => {
  expect(await refused(answer)).toEqual({ code, message });
});

test('a user and password that are not accepted are said to be that, and are not shown', async () => {
  const { code, message } = await refused(
    'HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n',
    { credentials: alice },
  );
  expect([code, message]).toEqual([
    'PROXY_AUTH_REQUIRED',
    'the proxy http://PROXY does not accept this user and password (407 No); it accepts Basic',
  ]);
});

test('a body without a length is read to its end, or for a moment; a long one in part', async () => {
  expect((await refused('HTTP/1.1 403 No\r\n\r\nclosed', { end: true })).message).toMatch(/\(403 No: closed\)$/);
  expect((await refused('HTTP/1.1 403 No\r\n\r\nopen')).message).toMatch(/\(403 No: open\)$/);
  expect((await refused(`HTTP/1.1 403 No\r\n\r\n${'x'.repeat(100_000)}`)).message).toMatch(/\(403 No: x{200}…\)$/);
});

test('a proxy that closes without a word is said to', async () => {
  expect(await refused('', { end: true })).toEqual({
    code: 'PROXY_FAILED',
    message: 'the proxy http://PROXY closed the connection',
  });
});
