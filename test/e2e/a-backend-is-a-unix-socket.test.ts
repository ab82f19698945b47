import { join } from 'node:path';
import { expect } from '@jest/globals';
import { adit, openTunnel } from '../support/adit.ts';
import { policyOfWeb } from '../support/backends.ts';
import { inHttp, startNginxWith } from '../support/nginx.ts';
import { scenario } from '../support/scenario.ts';
import { temporaryFolder } from '../support/scope.ts';
import { ask, endingOf } from '../support/services.ts';

scenario(
  'nginx behind a Unix socket is reached and learns the client address; a missing socket is a refused connection',
  ['nginx'],
  async () => {
    const path = join(temporaryFolder(), 'nginx.sock');
    await startNginxWith(
      inHttp(`server { listen unix:${path} proxy_protocol; return 200 "for $proxy_protocol_addr"; }`),
    );
    const tunnel = await openTunnel({
      to: { web: 'web' },
      policy: policyOfWeb({ backends: [`unix:${path}`], 'proxy-protocol': 'v1' }),
    });

    expect(await ask(tunnel.port('web'), 'GET / HTTP/1.0\r\n\r\n')).toMatch(/for 127\.0\.0\.1$/);
    expect(await tunnel.egress.process.event('stream')).toMatchObject({
      requested: 'web',
      resolved: `unix:${path}`,
      end: 'finished',
    });
    expect(
      (await adit(['policy', 'explain', tunnel.egress.policyFile, 'web', '--identity', 'alice'])).stdout,
    ).toContain(`it is the Unix socket ${path}`);

    const gone = await openTunnel({ to: { web: 'web' }, policy: policyOfWeb(`unix:${path}.gone`) });
    expect(await endingOf(gone.port('web'))).toBe('reset');
    expect(await gone.ingress.process.event('refused')).toMatchObject({
      code: 'CONNECTION_REFUSED',
      reason: 'web refused the connection.',
    });
  },
);
