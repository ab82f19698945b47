import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type net from 'node:net';
import tls from 'node:tls';
import { expect, test } from '@jest/globals';
import { certificates } from '../../../../test/support/certificates.ts';
import { newServer } from '../../../../test/support/issuer.ts';
import { atEnd } from '../../../../test/support/scope.ts';
import { closedPort, service } from '../../../../test/support/services.ts';
import { smallProxy } from '../../../../test/support/small-proxy.ts';
import { tlsCarrier } from '../../../../test/support/tls-carrier.ts';
import { loadCredentials } from '../identity/credentials.ts';
import { loadTrustAnchors } from '../identity/trust.ts';
import { Deadline } from '../net/deadline.ts';
import { openRoute, type Proxy, type RouteOptions } from './route.ts';
import { dialTls, serverOptions } from './tls.ts';

const certs = certificates();
const ca = loadTrustAnchors(certs.ca);
const ok = 'HTTP/1.1 200 OK\r\n\r\n';
const socksOk = ['\x05\x00', '\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50'];
const proxyTls = {
  cert: readFileSync(certs.egress.cert),
  key: readFileSync(certs.egress.key),
  ca: readFileSync(certs.ca),
};

const at = (scheme: Proxy['scheme'], port: number, changes: Partial<Proxy> = {}): Proxy => ({
  scheme,
  host: '127.0.0.1',
  port,
  ...changes,
});
function open(to: { host: string; port: number }, changes: Partial<RouteOptions> = {}): Promise<net.Socket> {
  return openRoute(to, { deadline: new Deadline(30_000), signal: new AbortController().signal, ...changes });
}

/** Sends, ends, and reads to the end: a route keeps half-close. */
async function askOver(socket: net.Socket, question: string): Promise<string> {
  atEnd(() => {
    socket.destroy();
  });
  socket.on('error', () => {});
  socket.end(question);
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  return answer;
}

const backwards = (): ReturnType<typeof service> =>
  service((socket) => {
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += String(chunk);
    });
    socket.on('end', () => socket.end([...text].toReversed().join('')));
  });

test('TCP goes out directly, or through a proxy of each kind, and half-close with it', async () => {
  const { port } = await backwards();
  const to = { host: '127.0.0.1', port };
  expect(await askOver(await open(to), 'abc')).toBe('cba');
  const [http, https, socks5] = await Promise.all([
    smallProxy({ answers: [ok], relayTo: port }),
    smallProxy({ answers: [ok], relayTo: port, tls: proxyTls }),
    smallProxy({ answers: socksOk, relayTo: port }),
  ]);
  for (const proxy of [at('http', http.port), at('https', https.port, { ca }), at('socks5', socks5.port)])
    expect(await askOver(await open(to, { proxy }), 'abc')).toBe('cba');
  expect(http.asked[0]).toMatch(/^CONNECT 127\.0\.0\.1:/);
});

test('the name of the egress is resolved by the proxy, and the proxy may speak first for it', async () => {
  const proxy = await smallProxy({ answers: [`${ok}SSH-2.0-x`], end: true });
  expect(
    await askOver(
      await open({ host: 'only-the-proxy-knows.invalid', port: 22 }, { proxy: at('http', proxy.port) }),
      '',
    ),
  ).toBe('SSH-2.0-x');
});

test('an egress proves itself through each of them, in TLS inside TLS too', async () => {
  const server = tls.createServer(
    serverOptions(loadCredentials({ cert: certs.egress.cert, key: certs.egress.key, role: 'egress' }), ca),
  );
  atEnd(() => {
    server.close();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const { cert, key } = certs.client('alice');
  const client = loadCredentials({ cert, key, role: 'client' });
  const [http, https, socks5] = await Promise.all([
    smallProxy({ answers: [ok], relayTo: port }),
    smallProxy({ answers: [ok], relayTo: port, tls: { ...proxyTls, requestCert: true } }),
    smallProxy({ answers: socksOk, relayTo: port }),
  ]);
  for (const proxy of [at('http', http.port), at('https', https.port, { ca, client }), at('socks5', socks5.port)]) {
    const [carrier, [accepted]] = await Promise.all([
      dialTls({
        host: '127.0.0.1',
        port,
        serverName: '127.0.0.1',
        credentials: client,
        ca,
        proxy,
        deadlineMs: 30_000,
        signal: new AbortController().signal,
      }),
      once(server, 'secureConnection') as Promise<[tls.TLSSocket]>,
    ]);
    accepted.on('error', () => {});
    expect([carrier.kind, carrier.remote, carrier.via]).toEqual([
      'tls',
      `127.0.0.1:${port}`,
      `${proxy.scheme}://127.0.0.1:${proxy.port}`,
    ]);
    expect(
      carrier
        .exportKey('EXPORTER-x', Buffer.alloc(3))
        .equals(tlsCarrier(accepted, '').exportKey('EXPORTER-x', Buffer.alloc(3))),
    ).toBe(true);
    accepted.pipe(accepted);
    const big = Buffer.alloc(1 << 20, proxy.scheme);
    carrier.duplex.end(big);
    const back: Buffer[] = [];
    for await (const chunk of carrier.duplex) back.push(chunk as Buffer);
    expect(Buffer.concat(back).equals(big)).toBe(true);
  }
});

test('a proxy that wants a certificate of its own gets ours, and nobody gets one unasked', async () => {
  const { port } = await backwards();
  const proxy = await smallProxy({
    answers: [ok],
    relayTo: port,
    tls: { ...proxyTls, requestCert: true, rejectUnauthorized: true },
  });
  const { cert, key } = certs.client('alice');
  expect(
    await askOver(
      await open(
        { host: '127.0.0.1', port },
        { proxy: at('https', proxy.port, { ca, client: loadCredentials({ cert, key, role: 'client' }) }) },
      ),
      'abc',
    ),
  ).toBe('cba');
  await expect(open({ host: '127.0.0.1', port }, { proxy: at('https', proxy.port, { ca }) })).rejects.toMatchObject({
    code: 'PROXY_FAILED',
    message: expect.stringMatching(/^the proxy https:.* closed the connection/),
  });
});

test('a proxy is trusted only with a certificate for its name by a CA of the system or --proxy-ca', async () => {
  const elsewhere = certs.write('elsewhere', newServer(certs.authority, { dns: ['elsewhere.example.org'] }));
  const stranger = await smallProxy({ answers: [ok], tls: proxyTls });
  const misnamed = await smallProxy({
    answers: [ok],
    tls: { cert: readFileSync(elsewhere.cert), key: readFileSync(elsewhere.key) },
  });
  await expect(open({ host: 'a.example', port: 1 }, { proxy: at('https', stranger.port) })).rejects.toMatchObject({
    code: 'PROXY_FAILED',
    message:
      `the proxy https://127.0.0.1:${stranger.port} has no certificate that this system trusts ` +
      '(SELF_SIGNED_CERT_IN_CHAIN; issued by CN=Example CA); --proxy-ca can name its CA',
  });
  await expect(
    open({ host: 'a.example', port: 1 }, { proxy: at('https', misnamed.port, { ca }) }),
  ).rejects.toMatchObject({ code: 'PROXY_FAILED', message: expect.stringContaining('ERR_TLS_CERT_ALTNAME_INVALID') });
  expect([...stranger.asked, ...misnamed.asked]).toEqual([]);
});

test('a failure names the hop', async () => {
  const port = await closedPort();
  const to = { host: 'tunnel.example.org', port: 8443 };
  await expect(open({ host: '127.0.0.1', port })).rejects.toMatchObject({
    code: 'EGRESS_UNREACHABLE',
    message: `cannot reach 127.0.0.1:${port} (ECONNREFUSED)`,
  });
  for (const scheme of ['http', 'https', 'socks5'] as const)
    await expect(open(to, { proxy: at(scheme, port) })).rejects.toMatchObject({
      code: 'PROXY_FAILED',
      message: `cannot reach the proxy ${scheme}://127.0.0.1:${port} (ECONNREFUSED)`,
    });
  const web = await smallProxy({ answers: ['HTTP/1.1 400 Bad Request\r\n\r\n'] });
  await expect(open(to, { proxy: at('https', web.port) })).rejects.toMatchObject({
    code: 'PROXY_FAILED',
    message: expect.stringMatching(/is not a proxy that speaks TLS/),
  });
});

test.each(['http', 'https', 'socks5'] as const)(
  'a proxy that says nothing is given up after the deadline, or at once when told to: %s',
  async (scheme) => {
    const silent = await smallProxy({ answers: [] });
    await expect(
      open({ host: 'a.example', port: 1 }, { proxy: at(scheme, silent.port), deadline: new Deadline(100) }),
    ).rejects.toMatchObject({
      code: 'PROXY_FAILED',
      message: expect.stringContaining(`the proxy ${scheme}://127.0.0.1:${silent.port}`),
    });
    const stop = new AbortController();
    const opening = open({ host: 'a.example', port: 1 }, { proxy: at(scheme, silent.port), signal: stop.signal });
    stop.abort();
    await expect(opening).rejects.toMatchObject({ message: expect.stringContaining('given up') });
  },
);
