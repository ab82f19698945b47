import { expect } from '@jest/globals';
import { portOf, startEgress, startIngress, type Egress } from '../support/adit.ts';
import { certificates } from '../support/certificates.ts';
import { chaos } from '../support/chaos.ts';
import { adapted, documented } from '../support/documented.ts';
import { startHaproxy } from '../support/haproxy.ts';
import { frontOf } from '../support/intermediary.ts';
import { newCa, newServer } from '../support/issuer.ts';
import { scenario } from '../support/scenario.ts';
import { chunkFrom, client, closedPort, echo } from '../support/services.ts';

scenario(
  'two egresses behind one address: a header of the ingress chooses, also when it comes back from elsewhere',
  ['haproxy'],
  async () => {
    const files = certificates();
    const authority = newCa('A public CA');
    const egressOf = async (): Promise<{ egress: Egress; http: string }> => {
      const egress = await startEgress({
        certificates: files,
        flags: ['--listen-http', '127.0.0.1:0', '--accept-proxy-protocol', '127.0.0.1'],
      });
      return { egress, http: `127.0.0.1:${portOf(await egress.process.event('listening', { http: true }))}` };
    };
    const [one, other] = [await egressOf(), await egressOf()];
    const { pem } = frontOf(files.write('front', newServer(authority)), one.http);
    const port = await closedPort();
    await startHaproxy(
      adapted(documented('networks.md', 'Several egresses', 'haproxy'), {
        'bind :443': `bind 127.0.0.1:${port}`,
        '/etc/haproxy/tls/tunnel.pem': pem,
        '10.0.0.5:8080': one.http,
        '10.0.0.6:8080': other.http,
      }),
    );
    const echoes = await echo();
    const outerCa = files.write('public-ca', authority).cert;
    const laptops = await Promise.all(
      Array.from({ length: 6 }, async (_, at) => {
        const network = await chaos(port, { from: `127.0.0.${10 + at}` });
        const ingress = await startIngress({
          certificates: files,
          egressPort: network.port,
          egress: `wss://127.0.0.1:${network.port}`,
          to: { echo: echoes.at },
          flags: ['--outer-ca', outerCa, '--header', `X-Adit-Client: laptop-${at}`],
        });
        await ingress.process.event('connected');
        const open = await client(ingress.ports['echo']!);
        return { network, ingress, open };
      }),
    );

    for (const kill of [1, 2, 3]) {
      await Promise.all(
        laptops.map(async ({ network, ingress, open }, at) => {
          network.from = `127.0.${kill}.${10 + at}`;
          network.cut();
          await ingress.process.event('connected', { resumed: true }, { nth: kill });
          open.socket.write(`still here ${kill}`);
          expect(String(await chunkFrom(open.socket))).toBe(`still here ${kill}`);
        }),
      );
    }
    const served = [one, other].map(({ egress }) => egress.process.all('connected').length);
    expect(served.reduce((sum, count) => sum + count, 0)).toBe(6 * 4);
    expect(Math.min(...served)).toBeGreaterThan(0); // the hash of these six names does not put all of them on one
    expect([one, other].flatMap(({ egress }) => egress.process.all('denied'))).toEqual([]);
    for (const { ingress } of laptops) expect(ingress.process.all('disconnected')).toEqual([]);
  },
);
