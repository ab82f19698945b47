import { readFileSync } from 'node:fs';
import { expect } from '@jest/globals';
import { adit, startEgress, startIngress } from '../support/adit.ts';
import { egressArguments } from '../support/arguments.ts';
import { certificates } from '../support/certificates.ts';
import { run } from '../support/child.ts';
import { scenario } from '../support/scenario.ts';
import { chunkFrom, client, echo } from '../support/services.ts';
import { socketOptions } from '../../packages/shared/src/native/socket-options.ts';

const allowedFile = '/proc/sys/net/ipv4/tcp_allowed_congestion_control';
const onLinux = { name: 'native calls', here: () => !('missing' in socketOptions()) };

/** One for each half: different ones, if users may choose between two. */
function allowed(): { readonly ours: string; readonly theirs: string } {
  const [ours = 'reno', theirs = ours] = readFileSync(allowedFile, 'utf8').trim().split(' ');
  return { ours, theirs };
}

/** What the kernel uses for the connections to this port, by the side that they belong to. */
async function inUse(port: number): Promise<{ readonly client: string[]; readonly server: string[] }> {
  const names = async (side: string): Promise<string[]> => {
    const { stdout } = await run('ss', ['-Htin', 'state', 'established', `( ${side} = :${port} )`]);
    return [...stdout.matchAll(/^\s+(?:ts |sack |ecn |ecnseen |fastopen )*(\w+)/gm)].map(([, name]) => name!);
  };
  return { client: await names('dport'), server: await names('sport') };
}

for (const [carrier, scheme, flags] of [
  ['TLS', '', ['--carrier', 'tls']],
  ['a WebSocket', '', ['--carrier', 'websocket']],
  ['CONNECT', 'connect://', []],
  ['CONNECT over HTTP/2', 'connect+h2://', []],
] as const)
  scenario(`each half chooses its own, over ${carrier}`, ['ss', onLinux], async () => {
    const { ours, theirs } = allowed();
    const files = certificates();
    const service = await echo();
    const egress = await startEgress({ certificates: files, flags: ['--congestion', theirs] });
    const ingress = await startIngress({
      certificates: files,
      egressPort: egress.port,
      egress: `${scheme}127.0.0.1:${egress.port}`,
      to: { echo: service.at },
      flags: ['--congestion', ours, ...flags],
    });
    const app = await client(ingress.ports['echo']!);
    app.socket.write('hello');
    await chunkFrom(app.socket);
    expect(await inUse(egress.port)).toEqual({ client: [ours], server: [theirs] });
    if (scheme === '') {
      expect(await ingress.process.event('connected')).toMatchObject({ congestion: ours });
      expect(await egress.process.event('connected')).toMatchObject({ congestion: theirs });
    }
    app.socket.destroy();
  });

scenario('one that the kernel does not have stops the start, and --check says so', [onLinux], async () => {
  const files = certificates();
  const flags = [...egressArguments(files, '/dev/null', '127.0.0.1:0'), '--congestion', 'nosuch'];
  for (const more of [[], ['--check']])
    expect(await adit(['egress', ...flags, ...more])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--congestion nosuch: this kernel does not have it'),
    });
});
