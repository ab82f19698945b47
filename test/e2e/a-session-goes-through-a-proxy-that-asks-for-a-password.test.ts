import { writeFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { adit } from '../support/adit.ts';
import { sessionArguments } from '../support/arguments.ts';
import { certificates } from '../support/certificates.ts';
import { behind, nginxInFront } from '../support/intermediary.ts';
import { longPattern } from '../support/long-pattern.ts';
import { scenario } from '../support/scenario.ts';
import { ask, closedPort, echo } from '../support/services.ts';
import { squidPassword, startSquid } from '../support/squid.ts';
import { proxyFile, survivesKills, throughProxy } from '../support/through-proxy.ts';
import { startTinyproxy, tinyproxyPassword } from '../support/tinyproxy.ts';

const secret = encodeURIComponent(squidPassword);
/** Tells the ingress about squid on this port, with the right password. */
const withPassword = (port: number) => ({
  flags: ['--proxy-file', proxyFile(`http://alice:${secret}@127.0.0.1:${port}`)],
});

scenario(
  'squid and a password from a file: a session, through three kills of the connection',
  ['squid', 'openssl'],
  async () => {
    const squid = await startSquid();
    const proxied = await throughProxy({
      proxyPort: squid.port,
      tell: withPassword,
    });

    expect(await proxied.ingress.process.event('connected')).toMatchObject({
      carrier: 'tls',
      proxy: `http://127.0.0.1:${proxied.network.port}`,
    });
    await survivesKills(proxied);
    expect(proxied.ingress.process.output).not.toContain(secret);
  },
);

scenario(
  'without a password, or with a wrong one, the log says what the proxy wants; a corrected file is read by itself',
  ['squid', 'openssl'],
  async () => {
    const squid = await startSquid();
    const none = await throughProxy({
      proxyPort: squid.port,
      tell: (port) => ({ flags: ['--proxy', `http://127.0.0.1:${port}`] }),
    });

    expect(String((await none.ingress.process.event('retrying', { code: 'PROXY_AUTH_REQUIRED' }))['reason'])).toMatch(
      longPattern(
        /^the proxy http:\/\/127\.0\.0\.1:\d+ wants a user and password /,
        /\(407 Proxy Authentication Required: .*\); it accepts Basic$/,
      ),
    );
    let [file, url] = ['', ''];
    const wrong = await throughProxy({
      proxyPort: squid.port,
      tell: (port) => {
        url = `127.0.0.1:${port}`;
        file = proxyFile(`http://alice:wrong-one@${url}`);
        return { flags: ['--proxy-file', file] };
      },
    });
    expect(
      String((await wrong.ingress.process.event('retrying', { code: 'PROXY_AUTH_REQUIRED' }))['reason']),
    ).toContain('does not accept this user and password (407');
    expect(wrong.ingress.process.output).not.toContain('wrong-one');
    writeFileSync(file, `http://alice:${secret}@${url}`);
    await wrong.ingress.process.event('connected', {}, { ms: 40_000 });
    expect(await ask(wrong.ingress.ports['echo']!, 'hello')).toBe('hello');
  },
);

scenario(
  'a proxy that does not allow the port, and one that cannot reach it, are told apart',
  ['squid', 'openssl'],
  async () => {
    const squid = await startSquid({ onlyPort: 443 });
    const refused = await throughProxy({
      proxyPort: squid.port,
      tell: withPassword,
    });

    expect(String((await refused.ingress.process.event('retrying', { code: 'PROXY_REFUSED' }))['reason'])).toMatch(
      /does not allow a connection to 127\.0\.0\.1:\d+ \(403 Forbidden: ERR_ACCESS_DENIED/,
    );
    const open = await startSquid();
    const closed = await closedPort();
    const unreachable = await throughProxy({
      proxyPort: open.port,
      egressAt: () => `127.0.0.1:${closed}`,
      tell: withPassword,
    });
    expect(
      String((await unreachable.ingress.process.event('retrying', { code: 'EGRESS_UNREACHABLE' }))['reason']),
    ).toMatch(
      /the proxy http:\/\/127\.0\.0\.1:\d+ cannot reach 127\.0\.0\.1:\d+ \(503 Service Unavailable: ERR_CONNECT_FAIL/,
    );
  },
);

scenario(
  'squid over TLS, whose CA --proxy-ca names: TLS inside TLS, through three kills',
  ['squid', 'openssl'],
  async () => {
    const files = certificates();
    const squid = await startSquid({ tls: files.egress });
    const proxied = await throughProxy({
      certificates: files,
      proxyPort: squid.port,
      tell: (port) => ({
        flags: ['--proxy-file', proxyFile(`https://alice:${secret}@localhost:${port}`), '--proxy-ca', files.ca],
      }),
    });

    expect(await proxied.ingress.process.event('connected')).toMatchObject({
      carrier: 'tls',
      proxy: `https://localhost:${proxied.network.port}`,
    });
    await survivesKills(proxied);
  },
);

scenario('tinyproxy, which HTTPS_PROXY names, and a WebSocket: through three kills', ['tinyproxy'], async () => {
  const tinyproxy = await startTinyproxy();
  const proxied = await throughProxy({
    proxyPort: tinyproxy.port,
    egressAt: (port) => `wss://127.0.0.1:${port}`,
    tell: (port) => ({
      env: { HTTPS_PROXY: `http://alice:${tinyproxyPassword}@127.0.0.1:${port}`, NO_PROXY: 'localhost,.internal' },
    }),
  });

  expect(await proxied.ingress.process.event('connected')).toMatchObject({
    carrier: 'websocket',
    proxy: `http://127.0.0.1:${proxied.network.port}`,
  });
  await survivesKills(proxied);
});

scenario(
  'a WebSocket goes through tinyproxy to the nginx that ends TLS before the egress',
  ['tinyproxy', 'nginx'],
  async () => {
    const tinyproxy = await startTinyproxy();
    const echoes = await echo();
    const { ingress, port } = await behind({
      to: { echo: echoes.at },
      start: nginxInFront,
      ingressFlags: ['--proxy-file', proxyFile(`http://alice:${tinyproxyPassword}@127.0.0.1:${tinyproxy.port}`)],
    });

    expect(await ingress.process.event('connected')).toMatchObject({
      carrier: 'websocket+tls',
      proxy: `http://127.0.0.1:${tinyproxy.port}`,
    });
    expect(await ask(port('echo'), 'hello')).toBe('hello');
  },
);

test('NO_PROXY and "--proxy none" bypass a proxy that does not run', async () => {
  const nobody = await closedPort();

  for (const { flags, env } of [
    { flags: [], env: { https_proxy: `http://127.0.0.1:${nobody}`, no_proxy: '127.0.0.0/8' } },
    { flags: ['--proxy', 'none'], env: { ALL_PROXY: `socks5://127.0.0.1:${nobody}` } },
  ]) {
    const { ingress, network } = await throughProxy({ proxyPort: nobody, tell: () => ({ flags, env }) });
    expect(await ingress.process.event('connected')).not.toHaveProperty('proxy');
    expect(network.did.connections).toBe(0);
  }
});

test('a password on the command line stops the start, and is not repeated', async () => {
  const { code, stdout, stderr } = await adit([
    'ingress',
    ...sessionArguments({ ca: 'a' }, { cert: 'c', key: 'k' }),
    ...['-L', '0:x:1', '--proxy', 'http://alice:hunter2@proxy:3128'],
  ]);

  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain('--proxy-file');
  expect(stderr).not.toContain('hunter2');
});
