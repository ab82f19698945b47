import { expect } from '@jest/globals';
import { builtProgram } from '../support/adit.ts';
import { certificates } from '../support/certificates.ts';
import { Child } from '../support/child.ts';
import { routedHosts } from '../support/routed-hosts.ts';
import { scenario } from '../support/scenario.ts';

scenario(
  'without the privilege that TPROXY takes the start fails and says what it takes; REDIRECT takes none',
  routedHosts,
  async () => {
    const { ca, client } = certificates();
    const { cert, key } = client('alice');
    const start = (spec: string): Child =>
      new Child(
        process.execPath,
        [
          builtProgram(),
          'ingress',
          '--egress',
          '127.0.0.1:1',
          '--cert',
          cert,
          '--key',
          key,
          '--ca',
          ca,
          '--log-format',
          'json',
          '--transparent',
          spec,
        ],
        { prefix: ['setpriv', '--bounding-set=-net_admin,-net_raw', '--inh-caps=-all'] },
      );

    const tproxy = start('0?tproxy');
    expect(await tproxy.exit).toMatchObject({ code: 1 });
    expect(tproxy.output).toMatch(
      /Cannot accept TPROXY connections at 127\.0\.0\.1:\d+: that needs the capability CAP_NET_ADMIN.*\[LISTEN_FAILED\]/,
    );

    await start('0').line(/"event":"listening"/);
  },
);
