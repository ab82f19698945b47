import { expect, test } from '@jest/globals';
import { openCuttableTunnel } from '../support/cuttable-tunnel.ts';
import { pouring, poursBothWays } from '../support/pouring.ts';

const megabytes = 96;
const path = '/through/here';

test.each([
  ['TLS', (port: number) => `127.0.0.1:${port}`, 3],
  ['a WebSocket', (port: number) => `wss://127.0.0.1:${port}${path}`, 5],
])(
  'three transfers each way over lanes, by %s, each connection killed after 0.4 to 3 s: all hashes right',
  async (_carrier, egressAt, seed) => {
    const [one, two, three] = await Promise.all([pouring(megabytes), pouring(megabytes), pouring(megabytes)]);
    const { ingress, egress, network, port } = await openCuttableTunnel({
      to: { one: one.at, two: two.at, three: three.at },
      network: { killAfterMs: [400, 3_000], seed, deaths: ['reset', 'end'] },
      egress: { flags: ['--ws-path', path] },
      egressAt,
      ingress: { flags: ['--lanes', '4', '--connect-timeout', '60s'] },
    });

    const detail = (): string => `${network.kills} kills`;
    await Promise.all(
      Object.entries({ one, two, three }).map(([name, both]) =>
        poursBothWays(both, { port: port(name), megabytes, withinMs: 400_000, detail }),
      ),
    );

    const lanes = ingress.process.all('lane', { state: 'opened' });
    expect(lanes.length).toBeGreaterThan(3);
    expect(egress.process.all('lane', { state: 'opened' }).length).toBeGreaterThanOrEqual(lanes.length);
    expect(ingress.process.all('lane', { state: 'closed' }).length).toBeGreaterThan(0);
    expect(ingress.process.all('disconnected')).toEqual([]);
    expect(ingress.process.all('connected', { resumed: true })).toHaveLength(
      ingress.process.all('connected').length - 1,
    );
  },
  600_000,
);
