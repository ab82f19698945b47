import { expect } from '@jest/globals';
import {
  curl,
  fileHash,
  firewalls,
  forbidden,
  gatewayAddress,
  openRoutedHosts,
  routedHosts,
  service,
} from '../support/routed-hosts.ts';
import { scenario } from '../support/scenario.ts';

const ways = [
  { by: 'REDIRECT', flags: ['--transparent', '*:4000'] },
  { by: 'DNAT', flags: ['--transparent', `${gatewayAddress[4]}:4000`, '--transparent', `[${gatewayAddress[6]}]:4000`] },
  { by: 'TPROXY', flags: ['--transparent', '*:4000?tproxy'] },
  { by: 'TPROXY to loopback', flags: ['--transparent', '4000?tproxy', '--transparent', '[::1]:4000?tproxy'] },
] as const;

for (const { word, needs } of firewalls) {
  scenario(
    `connections of another machine that ${word} leads to the ingress on its way go where they were going: ` +
      'REDIRECT, DNAT and TPROXY, IPv4 and IPv6',
    [...routedHosts, ...needs],
    async () => {
      const { client, egress, ingress: start, rules, hash } = await openRoutedHosts();

      for (const [nth, { by, flags }] of ways.entries()) {
        const ingress = await start(flags);
        await rules(flags, word);
        for (const address of [service[4], service[6]]) {
          expect([by, await curl(client, address, '/who')]).toMatchObject([
            by,
            { stdout: `${address} asks ${address}`, stderr: '' },
          ]);
          const requested = `${address.includes(':') ? `[${address}]` : address}:80`;
          expect(await egress.process.event('stream', { requested }, { nth: 2 * nth + 1 })).toMatchObject({
            frontEnd: 'transparent',
            client: expect.stringMatching(/^(192\.0\.2\.2|\[2001:db8:2::2\]):\d+$/),
          });
          expect(await fileHash(client, address)).toBe(hash);
        }
        expect((await curl(client, forbidden, '/who')).code).not.toBe(0);
        await ingress.event('refused', { destination: `${forbidden}:80`, code: 'POLICY_DENIED' });

        // Straight to the port: where it listens on an address that the client reaches, and whatever else the rules
        // say.
        for (const address of by === 'TPROXY to loopback' ? [] : [gatewayAddress[4], gatewayAddress[6]]) {
          expect((await curl(client, address, '/who', 4000)).code).not.toBe(0);
          await ingress.event('refused', {
            code: 'CLIENT_NOT_REDIRECTED',
            reason: new RegExp(`straight to \\[?${address.replaceAll('.', '\\.')}\\]?:4000`),
          });
        }
        // A port of the same number elsewhere is no port of ours.
        expect((await curl(client, service[4], '/who', 4000)).code).not.toBe(0);
        await ingress.event('refused', { destination: `${service[4]}:4000`, code: 'CONNECTION_REFUSED' });
        await rules(flags, `${word}-off`);
        await ingress.stop();
      }
    },
  );
}
