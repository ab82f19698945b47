import { expect } from '@jest/globals';
import { startDanted } from '../support/danted.ts';
import { scenario } from '../support/scenario.ts';
import { closedPort } from '../support/services.ts';
import { survivesKills, throughProxy } from '../support/through-proxy.ts';

scenario(
  'dante is asked for the egress by name; a session survives three kills of the connection',
  ['danted'],
  async () => {
    const dante = await startDanted();
    const proxied = await throughProxy({
      proxyPort: dante.port,
      egressAt: (port) => `localhost:${port}`,
      tell: (port) => ({ flags: ['--proxy', `socks5://127.0.0.1:${port}`] }),
    });

    expect(await proxied.ingress.process.event('connected')).toMatchObject({
      carrier: 'tls',
      proxy: `socks5://127.0.0.1:${proxied.network.port}`,
    });
    await survivesKills(proxied);
  },
);

scenario('a WebSocket goes through dante, which ALL_PROXY names', ['danted'], async () => {
  const dante = await startDanted();
  const proxied = await throughProxy({
    proxyPort: dante.port,
    egressAt: (port) => `wss://127.0.0.1:${port}`,
    tell: (port) => ({ env: { ALL_PROXY: `socks5h://127.0.0.1:${port}` } }),
  });

  expect(await proxied.ingress.process.event('connected')).toMatchObject({
    carrier: 'websocket',
    proxy: `socks5://127.0.0.1:${proxied.network.port}`,
  });
  await survivesKills(proxied);
});

scenario('a refusal of dante and a place that dante cannot reach are told apart', ['danted'], async () => {
  const [strict, open, closed] = [await startDanted({ onlyPort: 443 }), await startDanted(), await closedPort()];
  const refused = await throughProxy({
    proxyPort: strict.port,
    tell: (port) => ({ flags: ['--proxy', `socks5://127.0.0.1:${port}`] }),
  });

  expect(String((await refused.ingress.process.event('retrying', { code: 'PROXY_REFUSED' }))['reason'])).toMatch(
    /does not allow a connection to 127\.0\.0\.1:\d+: the rules of the proxy do not allow it \(SOCKS reply 2\)$/,
  );
  const unreachable = await throughProxy({
    proxyPort: open.port,
    egressAt: () => `127.0.0.1:${closed}`,
    tell: (port) => ({ flags: ['--proxy', `socks5://127.0.0.1:${port}`] }),
  });
  expect(
    String((await unreachable.ingress.process.event('retrying', { code: 'EGRESS_UNREACHABLE' }))['reason']),
  ).toContain(`cannot reach 127.0.0.1:${closed}: nothing listens on that port (SOCKS reply 5)`);
});
