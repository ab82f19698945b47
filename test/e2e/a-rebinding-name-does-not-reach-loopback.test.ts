import { expect } from '@jest/globals';
import { openTunnel, policyOf } from '../support/adit.ts';
import { type Zone, ownResolver, startNameServer } from '../support/dns.ts';
import { scenario } from '../support/scenario.ts';
import { ask, endingOf, service } from '../support/services.ts';

// Two services on the same port of two addresses: 127.0.0.2 is named by the policy, 127.0.0.1 is what an attacker is
// after.
async function setUp(zone: Zone, names: readonly string[]) {
  const secret = await service((socket) => {
    socket.end('secret');
  });
  const allowed = await service(
    (socket) => {
      socket.end('allowed');
    },
    { host: '127.0.0.2', port: secret.port },
  );
  const dns = await startNameServer(zone);
  const tunnel = await openTunnel({
    to: Object.fromEntries(names.map((name) => [name, `${name}:${secret.port}`])),
    policy: policyOf({ allow: ['*.attacker.example:*', '127.0.0.2/32:*'] }),
    egress: { process: { prefix: dns.prefix } },
  });
  return { secret, allowed, dns, tunnel };
}

scenario(
  'an allowed name is refused where it resolves to a forbidden address, and reached where to an allowed one',
  [ownResolver],
  async () => {
    const { tunnel, secret } = await setUp(
      (name) =>
        (
          {
            'good.attacker.example': ['127.0.0.2'],
            'evil.attacker.example': ['127.0.0.1'],
            'cloud.attacker.example': ['169.254.169.254'],
          } as Record<string, string[]>
        )[name],
      ['good.attacker.example', 'evil.attacker.example', 'cloud.attacker.example', 'gone.attacker.example'],
    );

    expect(await ask(tunnel.port('good.attacker.example'), '')).toBe('allowed');
    for (const [name, code] of [
      ['evil', 'ADDRESS_PROHIBITED'],
      ['cloud', 'ADDRESS_PROHIBITED'],
      ['gone', 'DNS_FAILED'],
    ]) {
      expect(await endingOf(tunnel.port(`${name}.attacker.example`))).toBe('reset');
      expect(
        await tunnel.egress.process.event('stream', { requested: `${name}.attacker.example:${secret.port}` }),
      ).toMatchObject({ end: 'refused', code });
      expect(await tunnel.ingress.process.event('refused', { code })).toMatchObject({
        destination: expect.any(String),
      });
    }
  },
);

scenario(
  'a name that resolves differently each time is asked once, and the address that was judged is dialled',
  [ownResolver],
  async () => {
    const name = 'flip.attacker.example';
    const { tunnel, dns } = await setUp(
      (asked, nth) => (asked === name ? [nth % 2 === 1 ? '127.0.0.2' : '127.0.0.1'] : undefined),
      [name],
    );

    for (let round = 1; round <= 10; round++) {
      if (round % 2 === 1) expect(await ask(tunnel.port(name), '')).toBe('allowed');
      else expect(await endingOf(tunnel.port(name))).toBe('reset');
      expect(dns.queries(name)).toBe(round);
    }
  },
);

scenario(
  'of a name with both addresses only the allowed one is dialled, even when nobody answers there',
  [ownResolver],
  async () => {
    const name = 'both.attacker.example';
    const { tunnel, allowed, secret } = await setUp(() => ['127.0.0.1', '127.0.0.2'], [name]);

    expect(await ask(tunnel.port(name), '')).toBe('allowed');
    let touched = 0;
    const watch = setInterval(() => {
      touched += secret.sockets.size;
    }, 1);
    await allowed.close();
    expect(await endingOf(tunnel.port(name))).toBe('reset');
    clearInterval(watch);
    expect(touched).toBe(0);
    expect(await tunnel.egress.process.event('stream', { end: 'refused' })).toMatchObject({
      code: 'CONNECTION_REFUSED',
    });
  },
);
