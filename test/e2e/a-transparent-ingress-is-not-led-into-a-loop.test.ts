import { expect } from '@jest/globals';
import { curl, firewalls, openRoutedHosts, routedHosts, service } from '../support/routed-hosts.ts';
import { scenario } from '../support/scenario.ts';

for (const { word, needs } of firewalls) {
  scenario(
    `where ${word} redirects the ingress's own way to the egress it is refused as a loop, and works when the ` +
      'rules leave it alone',
    [...routedHosts, ...needs],
    async () => {
      const { gateway, egressAt, ingress: start, rules } = await openRoutedHosts();
      const flags = ['--transparent', '4000'];
      await rules(flags, word, { uid: '65533' });
      const ingress = await start(flags, { connected: false });
      expect(await ingress.event('refused', { code: 'TRANSPARENT_LOOP' })).toMatchObject({
        reason: expect.stringContaining(egressAt),
      });
      await ingress.event('retrying');
      expect(ingress.all('connected')).toEqual([]);

      await rules(flags, word);
      await ingress.event('connected');
      expect(await curl(gateway, service[4], '/who')).toMatchObject({ stdout: `${service[4]} asks ${service[4]}` });

      // The egress as a destination of other programs is a loop, too; other ports of its host are not.
      const refused = ingress.all('refused', { code: 'TRANSPARENT_LOOP' }).length;
      const [host, port] = egressAt.split(':') as [string, string];
      expect((await curl(gateway, host, '/', Number(port))).code).not.toBe(0);
      await ingress.event('refused', { code: 'TRANSPARENT_LOOP' }, { nth: refused + 1 });
      expect((await curl(gateway, host, '/who')).code).not.toBe(0);
      await ingress.event('refused', { destination: `${host}:80`, code: 'POLICY_DENIED' });
    },
  );
}
