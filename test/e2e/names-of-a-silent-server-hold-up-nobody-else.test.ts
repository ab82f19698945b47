import { expect } from '@jest/globals';
import { openTunnel, policyOf } from '../support/adit.ts';
import { certificates } from '../support/certificates.ts';
import { ownResolver, startNameServer } from '../support/dns.ts';
import { openFrame, resetFrame } from '../support/hostile-frames.ts';
import { hostileSession } from '../support/hostile-session.ts';
import { scenario } from '../support/scenario.ts';
import { eventually } from '../support/scope.ts';
import { ask, service } from '../support/services.ts';

const silentNames = 400;
const answered = ['one', 'two', 'three'].map((name) => `${name}.answers.example`);
const inHosts = 'in-hosts.example';

/**
 * Alice reaches a service by names of a server that answers, and by one of /etc/hosts. Mallory may ask for the names of
 * a server that never does.
 */
async function setUp(environment: Readonly<Record<string, string>> = {}) {
  const files = certificates();
  const hello = await service((socket) => {
    socket.end('hello');
  });
  const dns = await startNameServer(
    (name) => (name.endsWith('.silent.example') ? 'silent' : answered.includes(name) ? ['127.0.0.1'] : undefined),
    undefined,
    [`127.0.0.1 ${inHosts}`],
  );
  const tunnel = await openTunnel({
    to: Object.fromEntries([...answered, inHosts, '127.0.0.1'].map((name) => [name, `${name}:${hello.port}`])),
    policy: policyOf({ identities: ['*'], allow: ['*:*', '127.0.0.1:*'] }),
    egress: { certificates: files, process: { prefix: dns.prefix, env: environment } },
  });
  /** How long the egress took for each of alice's connections: resolving and dialling, ms. */
  const dialsOfAlice = async (): Promise<number[]> => {
    const { process } = tunnel.egress;
    const before = process.all('stream', { identity: /alice$/ }).length;
    const names = [...answered, inHosts, '127.0.0.1', ...answered, inHosts];
    for (const name of names) expect(await ask(tunnel.port(name), '')).toBe('hello');
    await process.event('stream', { identity: /alice$/ }, { nth: before + names.length });
    return process.all('stream', { identity: /alice$/ }).map(({ dialMs }) => Number(dialMs));
  };
  return { files, dns, tunnel, dialsOfAlice };
}

scenario(
  '400 names of a silent server, opened and reset by one identity, leave the names of others as fast as they were',
  [ownResolver],
  async () => {
    const { files, dns, tunnel, dialsOfAlice } = await setUp();
    const { socket } = await hostileSession(tunnel.egress.port, files, files.client('mallory'));
    const names = Array.from({ length: silentNames }, (_, n) => `n${n}.silent.example`);
    const open = (n: number): Uint8Array => openFrame(2 * n + 1, { host: names[n]!, port: 80 });

    socket.write(Buffer.concat(names.flatMap((_, n) => [open(n), resetFrame(2 * n + 1)])));
    await tunnel.egress.process.event('stream', { identity: /mallory$/ }, { nth: silentNames });
    expect(Math.max(...(await dialsOfAlice()))).toBeLessThan(1_000);
    // half of the look-ups that run at once; the rest of the dead streams left the queue
    await eventually('sixteen queries', () => names.filter((name) => dns.queries(name) > 0).length === 16);
    await tunnel.egress.process.kill(); // its end would wait for the look-ups that run
  },
);

scenario('and so do 400 that wait, even where only two names are looked up at once', [ownResolver], async () => {
  const { files, dns, tunnel, dialsOfAlice } = await setUp({ UV_THREADPOOL_SIZE: '4' });
  const { socket } = await hostileSession(tunnel.egress.port, files, files.client('mallory'));
  const names = Array.from({ length: silentNames }, (_, n) => `n${n}.silent.example`);

  socket.write(Buffer.concat(names.map((host, n) => openFrame(2 * n + 1, { host, port: 80 }))));
  await eventually('a query for a silent name', () => dns.queries(names[0]!) > 0);
  expect(Math.max(...(await dialsOfAlice()))).toBeLessThan(1_000);
  expect(names.filter((name) => dns.queries(name) > 0)).toHaveLength(1);
  await tunnel.egress.process.kill();
});
