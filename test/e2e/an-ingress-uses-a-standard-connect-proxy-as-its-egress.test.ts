import { expect } from '@jest/globals';
import { policyOf, startEgress, startIngress, type Ingress } from '../support/adit.ts';
import { certificates } from '../support/certificates.ts';
import { hello } from '../support/curl.ts';
import { startNginx } from '../support/nginx.ts';
import { scenario } from '../support/scenario.ts';
import { ask, client, closedPort, endingOf, hashing, resetting, service } from '../support/services.ts';
import { eventually, within } from '../support/scope.ts';

for (const scheme of ['connect', 'connect+h2'] as const) {
  scenario(
    `${scheme}://: an egress is used as any proxy is; half-close, reset, refusals, a kill and a restart`,
    ['curl', 'nginx'],
    async () => {
      const files = certificates();
      const nginx = await startNginx();
      const hash = await hashing();
      const rude = await resetting();
      let ends = 0;
      const mute = await service((socket) => {
        socket.resume().on('end', () => ends++);
      });
      const refused = await closedPort();
      const start = (port = 0) =>
        startEgress({
          certificates: files,
          port,
          policy: policyOf({ allow: ['127.0.0.1:*', 'web'], services: { web: `tcp://${nginx.http}` } }),
        });
      const egress = await start();
      const ingress: Ingress = await startIngress({
        certificates: files,
        egressPort: egress.port,
        egress: `${scheme}://127.0.0.1:${egress.port}`,
        to: {
          http: nginx.http,
          web: 'web',
          hash: hash.at,
          rude: rude.at,
          mute: mute.at,
          refused: `127.0.0.1:${refused}`,
          denied: '127.0.0.2:1',
        },
      });

      expect(await ingress.process.event('connected')).toMatchObject({
        carrier: scheme,
        resumable: false,
        msg: expect.stringContaining('there is no session'),
      });
      const curl = (name: string): Promise<string> => hello(ingress.ports[name]!);
      expect([await curl('http'), await curl('web')]).toEqual([
        'hello from nginx over HTTP/1.1\n',
        'hello from nginx over HTTP/1.1\n',
      ]);
      expect(await ask(ingress.ports['hash']!, Buffer.alloc(5_000_000))).toMatch(/^5000000 /);
      expect(await endingOf(ingress.ports['rude']!)).toBe('reset');
      expect(await endingOf(ingress.ports['refused']!)).toBe('reset');
      expect(await ingress.process.event('refused', { destination: `127.0.0.1:${refused}` })).toMatchObject({
        code: 'CONNECTION_REFUSED',
      });
      expect(await endingOf(ingress.ports['denied']!)).toBe('reset');
      expect(await ingress.process.event('refused', { destination: '127.0.0.2:1' })).toMatchObject({
        code: 'POLICY_DENIED',
        reason: expect.stringMatching(/^the proxy answered 403: /),
      });
      expect(await egress.process.event('stream', { requested: 'web' })).toMatchObject({
        frontEnd: 'connect',
        identity: 'spiffe://example.org/client/alice',
      });

      const open = await client(ingress.ports['hash']!);
      open.socket.write('x');
      const ended = await client(ingress.ports['mute']!);
      ended.socket.end('x');
      await eventually('the connections at the services', () => hash.sockets.size > 0 && ends > 0);
      await egress.process.kill();
      for (const { received } of [open, ended])
        expect((await within(30_000, 'the ending', received)).ending).toBe('reset');
      await start(egress.port);
      expect(await curl('http')).toBe('hello from nginx over HTTP/1.1\n'); // waits for the proxy, at most
    },
  );
}
