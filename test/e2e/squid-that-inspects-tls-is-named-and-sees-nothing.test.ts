import { expect } from '@jest/globals';
import { startEgress, startIngress } from '../support/adit.ts';
import { certificates } from '../support/certificates.ts';
import { newCa } from '../support/issuer.ts';
import { longPattern } from '../support/long-pattern.ts';
import { scenario } from '../support/scenario.ts';
import { ask, echo } from '../support/services.ts';
import { squidWithOpenSsl, startSquid } from '../support/squid.ts';

/** An ingress that has to go through squid, which ends the TLS inside of CONNECT; our CA is what it wants behind it. */
async function setUp({ upgrades }: { readonly upgrades: boolean }) {
  const files = certificates();
  const echoes = await echo();
  const egress = await startEgress({ certificates: files });
  const authority = newCa('Example Corp Web Gateway');
  const { port } = await startSquid({ inspects: { authority, trusts: files.ca, upgrades } });
  const ingress = await startIngress({
    certificates: files,
    egressPort: egress.port,
    egress: `localhost:${egress.port}`,
    to: { echo: echoes.at },
    flags: ['--proxy', `http://127.0.0.1:${port}`, '--outer-ca', files.write('gateway-ca', authority).cert],
  });
  return { egress, ingress };
}

scenario(
  'ssl-bump: the ingress names its CA and goes by TLS inside a WebSocket, which squid cannot read',
  [squidWithOpenSsl],
  async () => {
    const { egress, ingress } = await setUp({ upgrades: true });

    await ingress.process.event('intercepted', { issuer: 'CN=Example Corp Web Gateway' });
    await ingress.process.event('connected', { carrier: 'websocket+tls', intermediary: 'CN=Example Corp Web Gateway' });
    await egress.process.event('connected', {
      carrier: 'websocket+tls',
      identity: 'spiffe://example.org/client/alice',
    });

    expect(await ask(ingress.ports['echo']!, 'hello')).toBe('hello');
    expect(await ask(ingress.ports['echo']!, Buffer.alloc(3_000_000, 'x'))).toHaveLength(3_000_000);
  },
);

scenario(
  'where squid takes the Upgrade away there is no session, and the reason says so',
  [squidWithOpenSsl],
  async () => {
    const { egress, ingress } = await setUp({ upgrades: false });
    const { reason } = await ingress.process.event('retrying', { code: 'EGRESS_UNREACHABLE' });

    expect(reason).toMatch(
      longPattern(
        /^wss:\/\/localhost:\d+\/\.well-known\/adit, where CN=Example Corp Web Gateway ends TLS, /,
        /was answered 426 and did not become a WebSocket: .*does not pass WebSockets on$/,
      ),
    );
    expect([ingress.process.all('connected'), egress.process.all('connected')]).toEqual([[], []]);
  },
);
