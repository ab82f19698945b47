import { expect } from '@jest/globals';
import { builtProgram } from '../support/adit.ts';
import { succeed } from '../support/child.ts';
import { adapted, documented } from '../support/documented.ts';
import { firewalls, gatewayOutside, openRoutedHosts, routedHosts, service } from '../support/routed-hosts.ts';
import { scenario } from '../support/scenario.ts';
import { temporaryFolder } from '../support/scope.ts';

scenario(
  'the first example of the page leads curl through the tunnel, and its last line ends that',
  [...routedHosts, ...firewalls[0]!.needs],
  async () => {
    const { gateway, ingress } = await openRoutedHosts();

    await ingress(['--transparent', '4000']);
    const example = adapted(documented('transparent.md', 'Connections of this machine', 'sh'), {
      'sudo -u adit adit': `${process.execPath} ${builtProgram()}`,
      'sudo to4=10.20.0.0/16': 'to4=198.51.100.0/24',
      'sudo sh': 'sh',
      'curl http://10.20.0.5/': `setpriv --reuid=65534 --regid=65534 --clear-groups curl -sS http://${service[4]}/who`,
    });
    const [program, ...args] = [
      ...gateway,
      'sh',
      '-ec',
      `cd '${temporaryFolder()}'\n${example}setpriv --reuid=65534 --regid=65534 --clear-groups curl -sS ` +
        `http://${service[4]}/who`,
    ];
    expect((await succeed(program, args)).stdout).toBe(
      `${service[4]} asks ${service[4]}${gatewayOutside[4]} asks ${service[4]}`,
    );
  },
);
