import { expect } from '@jest/globals';
import {
  curl,
  fileHash,
  firewalls,
  forbidden,
  gatewayOutside,
  openRoutedHosts,
  routedHosts,
  service,
} from '../support/routed-hosts.ts';
import { scenario } from '../support/scenario.ts';

for (const { word, needs } of firewalls) {
  scenario(
    `connections of the machine itself that ${word} redirects go through the tunnel to where they were going, ` +
      'IPv4 and IPv6',
    [...routedHosts, ...needs],
    async () => {
      const { gateway, egress, ingress: start, rules, hash } = await openRoutedHosts();
      const flags = ['--transparent', '*:4000'];

      expect(await curl(gateway, service[4], '/who')).toMatchObject({
        stdout: `${gatewayOutside[4]} asks ${service[4]}`,
      });
      const ingress = await start(flags);
      await rules(flags, word);

      for (const address of [service[4], service[6]]) {
        // The egress asks from its own host.
        expect(await curl(gateway, address, '/who')).toMatchObject({
          stdout: `${address} asks ${address}`,
          stderr: '',
        });
        expect(
          await egress.process.event('stream', { requested: `${address.includes(':') ? `[${address}]` : address}:80` }),
        ).toMatchObject({ identity: expect.stringContaining('alice'), frontEnd: 'transparent', end: 'finished' });
        expect(await fileHash(gateway, address)).toBe(hash);
      }

      expect((await curl(gateway, forbidden, '/who')).code).not.toBe(0);
      expect(await ingress.event('refused', { destination: `${forbidden}:80` })).toMatchObject({
        code: 'POLICY_DENIED',
      });

      // Straight to the port, from this machine and from outside of it.
      for (const address of ['127.0.0.1', '::1', gatewayOutside[4], gatewayOutside[6]]) {
        expect((await curl(gateway, address, '/who', 4000)).code).not.toBe(0);
        expect(
          await ingress.event('refused', {
            code: 'CLIENT_NOT_REDIRECTED',
            reason: new RegExp(`straight to \\[?${address.replaceAll('.', '\\.')}\\]?:4000`),
          }),
        ).toMatchObject({ level: 'warn' });
      }

      await rules(flags, `${word}-off`);
      expect(await curl(gateway, service[6], '/who')).toMatchObject({
        stdout: `${gatewayOutside[6]} asks ${service[6]}`,
      });
    },
  );
}
