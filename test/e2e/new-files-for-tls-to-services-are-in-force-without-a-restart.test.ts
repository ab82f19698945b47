import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { openTunnel } from '../support/adit.ts';
import { certificates } from '../support/certificates.ts';
import { newCa } from '../support/issuer.ts';
import { inHttp, startNginxWith } from '../support/nginx.ts';
import { scenario } from '../support/scenario.ts';
import { ask, closedPort, endingOf } from '../support/services.ts';

const request = 'GET / HTTP/1.0\r\n\r\n';

scenario(
  'a wrong CA refuses the service; the right one, written over it, admits it; an unreadable one changes nothing',
  ['nginx'],
  async () => {
    const [files, backends] = [certificates(), certificates()];
    const port = await closedPort();
    await startNginxWith(
      inHttp(
        `server { listen 127.0.0.1:${port} ssl; ssl_certificate ${backends.egress.cert}; ssl_certificate_key ` +
          `${backends.egress.key}; return 200 "in"; }`,
      ),
    );
    const [ofService, ofDestination] = [join(files.folder, 'service-ca.crt'), join(files.folder, 'destination-ca.crt')];

    for (const file of [ofService, ofDestination]) writeFileSync(file, newCa('Other CA').certPem);
    const policy = JSON.stringify({
      version: 1,
      services: { web: { backends: [`tls://localhost:${port}`], tls: { ca: 'service-ca.crt' } } },
      rules: [{ name: 'r', identities: ['alice'], allow: ['web', `localhost:${port}`] }],
    });
    const tunnel = await openTunnel({
      to: { service: 'web', destination: `tls://localhost:${port}` },
      policy,
      egress: { certificates: files, flags: ['--service-ca', ofDestination] },
    });
    const { process: egress } = tunnel.egress;
    for (const [name, file, what] of [
      ['service', ofService, 'policy'],
      ['destination', ofDestination, 'certificates'],
    ] as const) {
      expect(await endingOf(tunnel.port(name))).toBe('reset');
      expect(
        await egress.event('stream', { code: 'SERVICE_TLS_FAILED', requested: name === 'service' ? 'web' : /^tls:/ }),
      ).toBeDefined();
      const loaded = egress.all('reloaded', { what }).length;
      copyFileSync(backends.ca, file);
      await egress.event('reloaded', { what }, { nth: loaded + 1 });
      expect(await ask(tunnel.port(name), request)).toMatch(/in$/);
      const failed = egress.all('reload-failed', { what }).length;
      writeFileSync(file, 'no certificate');
      expect(await egress.event('reload-failed', { what }, { nth: failed + 1 })).toMatchObject({
        code: 'CONFIG_INVALID',
        reason: expect.stringContaining(file),
      });
      expect(await ask(tunnel.port(name), request)).toMatch(/in$/);
    }
  },
);
