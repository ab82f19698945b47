import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { openTunnel, type Tunnel } from '../support/adit.ts';
import { policyOfWeb } from '../support/backends.ts';
import { certificates } from '../support/certificates.ts';
import { startHaproxy } from '../support/haproxy.ts';
import { newCa, newServer } from '../support/issuer.ts';
import { inHttp, startNginxWith } from '../support/nginx.ts';
import { scenario } from '../support/scenario.ts';
import { ask, closedPort, endingOf } from '../support/services.ts';

const files = certificates();
const backends = certificates();
const toBackends = backends.client('gateway');
const request = 'GET / HTTP/1.0\r\n\r\n';

/**
 * nginx with TLS 1.2 and 1.3; it says who the client is, by its certificate and by the PROXY header where it expects
 * one.
 */
async function secure({
  listen = '',
  cert = backends.egress,
}: {
  readonly listen?: string;
  readonly cert?: { readonly cert: string; readonly key: string };
} = {}): Promise<number> {
  const port = await closedPort();
  await startNginxWith(
    inHttp(
      `server { listen 127.0.0.1:${port} ssl ${listen}; ssl_certificate ${cert.cert}; ssl_certificate_key ` +
        `${cert.key}; ssl_client_certificate ${backends.ca}; ssl_verify_client optional; return 200 ` +
        '"$ssl_client_verify $ssl_client_s_dn $ssl_server_name $proxy_protocol_addr"; }',
    ),
  );
  return port;
}

const open = (web: Readonly<Record<string, unknown>>): Promise<Tunnel> =>
  openTunnel({ to: { web: 'web' }, policy: policyOfWeb(web), egress: { certificates: files } });
const bodyOf = (answer: string): string => answer.slice(answer.indexOf('\r\n\r\n') + 4);

scenario('nginx is verified by the CA of the service, and verifies our certificate', ['nginx'], async () => {
  const port = await secure();
  const tls = { ca: backends.ca, cert: toBackends.cert, key: toBackends.key };
  const tunnel = await open({ backends: [`tls://localhost:${port}`], tls });

  expect(bodyOf(await ask(tunnel.port('web'), request))).toBe('SUCCESS CN=gateway localhost ');
  expect(await tunnel.egress.process.event('stream')).toMatchObject({
    requested: 'web',
    resolved: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
    end: 'finished',
  });
  const anonymous = await open({
    backends: [`tls://127.0.0.1:${port}`],
    tls: { ca: backends.ca, 'server-name': 'localhost' },
  });
  expect(bodyOf(await ask(anonymous.port('web'), request))).toBe('NONE  localhost ');
});

scenario(
  'the PROXY header comes before TLS: nginx reads version 1, the longest that it takes before 1.23.2',
  ['nginx'],
  async () => {
    const port = await secure({ listen: 'proxy_protocol' });
    const tunnel = await open({
      backends: [`tls://localhost:${port}`],
      'proxy-protocol': 'v1',
      tls: { ca: backends.ca },
      health: { interval: '200ms', fall: 1 },
    });

    expect(bodyOf(await ask(tunnel.port('web'), request))).toBe('NONE  localhost 127.0.0.1');
    expect(tunnel.egress.process.all('backend-down')).toEqual([]);
  },
);

scenario(
  'the PROXY header comes before TLS: HAProxy reads version 2, and the client address in it',
  ['haproxy'],
  async () => {
    const port = await closedPort();
    const both = join(backends.folder, 'both.pem');
    writeFileSync(both, readFileSync(backends.egress.cert, 'utf8') + readFileSync(backends.egress.key, 'utf8'), {
      mode: 0o600,
    });
    await startHaproxy(
      `defaults\n    mode http\n    timeout client 30s\n\nfrontend web\n    bind 127.0.0.1:${port} accept-proxy ` +
        `ssl crt ${both} ca-file ${backends.ca} verify optional\n    http-request return status 200 content-type ` +
        'text/plain lf-string "%[src] %[fc_pp_authority] %[ssl_fc_sni] %[ssl_c_s_dn(cn)]"\n',
    );
    const tls = { ca: backends.ca, cert: toBackends.cert, key: toBackends.key };
    const tunnel = await open({
      backends: [`tls://localhost:${port}`],
      'proxy-protocol': 'v2',
      tls,
      health: { interval: '200ms', fall: 1 },
    });

    expect(bodyOf(await ask(tunnel.port('web'), request))).toBe('127.0.0.1 web localhost gateway');
    expect(tunnel.egress.process.all('backend-down')).toEqual([]);
  },
);

scenario(
  'a backend that cannot be verified is refused before a byte is sent, and another one is tried',
  ['nginx'],
  async () => {
    const stranger = backends.write('stranger', newServer(newCa('Other CA')));
    const other = backends.write('other', newServer(backends.authority, { subject: 'other', dns: ['other.internal'] }));
    const [right, unknown, misnamed] = [
      await secure(),
      await secure({ cert: stranger }),
      await secure({ cert: other }),
    ];

    for (const [port, why] of [
      [unknown, /TLS: .*certificate/],
      [misnamed, /TLS: .*does not match/],
    ] as const) {
      const lone = await open({ backends: [`tls://localhost:${port}`], tls: { ca: backends.ca } });
      expect(await endingOf(lone.port('web'))).toBe('reset');
      expect(await lone.ingress.process.event('refused')).toMatchObject({
        code: 'SERVICE_TLS_FAILED',
        reason: 'web did not prove by TLS that it is the right service.',
      });
      expect(await lone.egress.process.event('stream')).toMatchObject({
        code: 'SERVICE_TLS_FAILED',
        reason: expect.stringMatching(why),
        end: 'refused',
      });
    }
    const tunnel = await open({
      backends: [`tls://localhost:${unknown}`, `tls://localhost:${right}`],
      tls: { ca: backends.ca },
    });
    expect(bodyOf(await ask(tunnel.port('web'), request))).toBe('NONE  localhost ');
    expect(await tunnel.egress.process.event('stream')).toMatchObject({ attempts: 2, end: 'finished' });
  },
);
