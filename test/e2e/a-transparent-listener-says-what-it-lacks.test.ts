import { expect } from '@jest/globals';
import { builtProgram } from '../support/adit.ts';
import { sessionArguments } from '../support/arguments.ts';
import { certificates } from '../support/certificates.ts';
import { Child } from '../support/child.ts';
import { longPattern } from '../support/long-pattern.ts';
import { routedHosts } from '../support/routed-hosts.ts';
import { scenario } from '../support/scenario.ts';

scenario(
  'without the privilege that TPROXY needs the start fails and names it; REDIRECT needs none',
  routedHosts,
  async () => {
    const files = certificates();
    const session = sessionArguments(files, files.client('alice'));
    const start = (spec: string): Child =>
      new Child(
        process.execPath,
        [builtProgram(), 'ingress', ...session, '--log-format', 'json', '--transparent', spec],
        { prefix: ['setpriv', '--bounding-set=-net_admin,-net_raw', '--inh-caps=-all'] },
      );

    const tproxy = start('0?tproxy');
    expect(await tproxy.exit).toMatchObject({ code: 1 });
    expect(tproxy.output).toMatch(
      longPattern(
        /Cannot accept TPROXY connections at 127\.0\.0\.1:\d+: /,
        /that needs the capability CAP_NET_ADMIN.*\[LISTEN_FAILED\]/,
      ),
    );

    await start('0').line(/"event":"listening"/);
  },
);
