import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { expect } from '@jest/globals';
import { WebSocketServer } from 'ws';
import { policyOf } from '../support/adit.ts';
import { chromium, browse } from '../support/chromium.ts';
import { newCa, newServer } from '../support/issuer.ts';
import { openProxies, type LocalProxies } from '../support/local-proxies.ts';
import { scenario } from '../support/scenario.ts';
import { atEnd } from '../support/scope.ts';
import { shared } from '../support/shared.ts';

/**
 * Thirty answers at once, a POST, and a WebSocket; the page is loaded when the service heard that all of it is done.
 */
const page = `<!doctype html><p id="result">nothing ran</p><img src="/when-done"><script>
(async () => {
  const part = async (_, at) => (await (await fetch('/part/' + at)).text()).length;
  const parts = await Promise.all(Array.from({ length: 30 }, part));
  const posted = await (await fetch('/upload', { method: 'POST', body: 'x'.repeat(300000) })).text();
  const said = await new Promise((resolve, reject) => {
    const socket = new WebSocket(location.origin.replace('http', 'ws') + '/chat');
    socket.onerror = () => reject(new Error('the WebSocket failed'));
    socket.onopen = () => socket.send('hello');
    socket.onmessage = ({ data }) => resolve(data);
  });
  return [parts.reduce((sum, part) => sum + part, 0), posted, said].join(' ');
})().catch(String).then((text) => { document.getElementById('result').textContent = text; return fetch('/done'); });
</script>`;
const result = '3000000 300000 HELLO';

/** What the page needs, over HTTP or HTTPS; its port. */
async function site(server: http.Server | https.Server): Promise<number> {
  const waiting: http.ServerResponse[] = [];
  server.on('request', (request: http.IncomingMessage, response: http.ServerResponse) => {
    if (request.url === '/') response.setHeader('Content-Type', 'text/html').end(page);
    else if (request.url?.startsWith('/part/')) response.end('p'.repeat(100_000));
    else if (request.url === '/upload') {
      let length = 0;
      request
        .on('data', (chunk: Buffer) => {
          length += chunk.length;
        })
        .on('end', () => response.end(String(length)));
    } else if (request.url === '/when-done') waiting.push(response);
    else {
      response.end();
      if (request.url === '/done') for (const held of waiting.splice(0)) held.writeHead(404).end();
    }
  });
  const chat = new WebSocketServer({ server: server as http.Server, path: '/chat' });
  chat.on('connection', (socket) => {
    socket.on('message', (text: Buffer) => {
      socket.send(String(text).toUpperCase());
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(() => {
    chat.close();
    for (const socket of chat.clients) socket.terminate();
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const [authority, stranger] = [newCa('A CA that no browser knows'), newCa('Another')];
const certificate = newServer(authority, { dns: ['shop.adit.internal'] });
/** `plain` and `shop` are names that only the policy of the egress knows. */
const proxies = shared(async () => {
  const plain = await site(http.createServer());
  const shop = await site(https.createServer({ cert: certificate.certPem, key: certificate.keyPem }));
  const services = { plain: `tcp://127.0.0.1:${plain}`, shop: `tcp://127.0.0.1:${shop}` };
  return openProxies({ policy: policyOf({ allow: ['plain', 'shop'], services }) });
});

const ways: readonly (readonly [string, (at: LocalProxies) => string])[] = [
  ['the SOCKS proxy', ({ socks }) => `socks5://127.0.0.1:${socks}`],
  ['the HTTP proxy', ({ http: port }) => `http://127.0.0.1:${port}`],
  ['the one port for both', ({ mixed }) => `socks5://127.0.0.1:${mixed}`],
];
for (const [name, proxyOf] of ways) {
  scenario(`${name}: a page, what it fetches at once and what it sends, and its WebSocket`, [chromium], async () => {
    const proxy = proxyOf(await proxies());
    expect(await browse('http://plain.adit.internal/', { proxy })).toContain(`<p id="result">${result}</p>`);
  });

  scenario(`${name}: over https:// the certificate is that of the service`, [chromium], async () => {
    const proxy = proxyOf(await proxies());

    expect(await browse('https://shop.adit.internal/', { proxy, certificate: certificate.certPem })).toContain(
      `<p id="result">${result}</p>`,
    );
    const other = newServer(stranger, { dns: ['shop.adit.internal'] });
    expect(await browse('https://shop.adit.internal/', { proxy, certificate: other.certPem })).toBe(
      'net::ERR_CERT_AUTHORITY_INVALID',
    );
  });
}

scenario('what the policy denies is a page of the proxy, or an error of the browser', [chromium], async () => {
  const at = await proxies();

  expect(await browse('http://denied.example.org/', { proxy: ways[1]![1](at) })).toMatch(
    /POLICY_DENIED: The policy of the egress does not allow alice to reach denied\.example\.org:80\./,
  );
  expect(await browse('https://denied.example.org/', { proxy: ways[1]![1](at) })).toBe(
    'net::ERR_TUNNEL_CONNECTION_FAILED',
  );
  expect(await browse('http://denied.example.org/', { proxy: ways[0]![1](at) })).toBe(
    'net::ERR_SOCKS_CONNECTION_FAILED',
  );
});
