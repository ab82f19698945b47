import { expect } from '@jest/globals';
import { adit, openTunnel, policyOf, type Tunnel } from '../support/adit.ts';
import { certificates } from '../support/certificates.ts';
import { inHttp, startNginxWith } from '../support/nginx.ts';
import { scenario } from '../support/scenario.ts';
import { ask, closedPort, endingOf } from '../support/services.ts';

const files = certificates();
const services = certificates();
const shown = services.client('gateway');
const request = 'GET / HTTP/1.0\r\n\r\n';

scenario(
  'plain HTTP goes in, HTTPS comes out: verified by --service-ca, with our certificate; the policy is asked for ' +
    'the same host and port',
  ['nginx'],
  async () => {
    const port = await closedPort();
    await startNginxWith(
      inHttp(
        `server { listen 127.0.0.1:${port} ssl; ssl_certificate ${services.egress.cert}; ssl_certificate_key ` +
          `${services.egress.key}; ssl_client_certificate ${services.ca}; ssl_verify_client optional; return 200 ` +
          '"$ssl_protocol $ssl_server_name $ssl_client_verify $ssl_client_s_dn"; }',
      ),
    );
    const policy = policyOf({ allow: [`localhost:${port}`, `127.0.0.1:${port}`] });
    const open = (flags: readonly string[]): Promise<Tunnel> =>
      openTunnel({
        to: {
          named: `tls://localhost:${port}`,
          address: `tls://127.0.0.1:${port}`,
          forbidden: `tls://localhost:${port + 1}`,
        },
        policy,
        egress: { certificates: files, flags },
      });

    const tunnel = await open(['--service-ca', services.ca, '--service-cert', shown.cert, '--service-key', shown.key]);
    expect(await ask(tunnel.port('named'), request)).toMatch(/\r\n\r\nTLSv1\.[23] localhost SUCCESS CN=gateway$/);
    expect(await ask(tunnel.port('address'), request)).toMatch(/\r\n\r\nTLSv1\.[23] {2}SUCCESS CN=gateway$/);
    expect(await tunnel.egress.process.event('stream')).toMatchObject({
      requested: `tls://localhost:${port}`,
      resolved: `127.0.0.1:${port}`,
      end: 'finished',
    });
    expect(await endingOf(tunnel.port('forbidden'))).toBe('reset');
    expect(await tunnel.ingress.process.event('refused')).toMatchObject({
      code: 'POLICY_DENIED',
      destination: `tls://localhost:${port + 1}`,
    });
    const explained = await adit([
      'policy',
      'explain',
      tunnel.egress.policyFile,
      `tls://localhost:${port}`,
      '--identity',
      'alice',
    ]);
    expect(explained.stdout).toMatch(/^allow: /);

    const system = await open([]);
    expect(await endingOf(system.port('named'))).toBe('reset');
    expect(await system.ingress.process.event('refused')).toMatchObject({
      code: 'SERVICE_TLS_FAILED',
      reason: `localhost:${port} did not prove by TLS that it is the right service.`,
    });
    expect(await system.egress.process.event('stream')).toMatchObject({
      code: 'SERVICE_TLS_FAILED',
      reason: expect.stringMatching(/^TLS: .*certificate/),
    });
  },
);
