import { expect, test } from '@jest/globals';
import { policyOf } from '../support/adit.ts';
import { run } from '../support/child.ts';
import { openProxies } from '../support/local-proxies.ts';
import { startNginx } from '../support/nginx.ts';
import { scenario } from '../support/scenario.ts';
import { within } from '../support/scope.ts';
import { client, echo } from '../support/services.ts';

/** What a SOCKS5 client may ask for: the name (ATYP 3), or what it resolved by itself. */
const targets = {
  name: Buffer.from('\x03\x09localhost', 'latin1'),
  ipv4: Buffer.of(1, 127, 0, 0, 1),
  ipv6: Buffer.of(4, ...new Uint8Array(15), 1),
  mapped: Buffer.of(4, ...new Uint8Array(10), 255, 255, 127, 0, 0, 1),
  'ipv4 as a name': Buffer.from('\x03\x09127.0.0.1', 'latin1'),
};
type Target = keyof typeof targets;
const [granted, notAllowed, refused] = [0, 2, 5];

/** The reply of the proxy; after a yes the service has given back what it was sent. */
async function reply(socksPort: number, target: Target, port: number): Promise<number> {
  const { socket, received } = await client(socksPort);
  socket.end(
    Buffer.concat([
      Buffer.of(5, 1, 0, 5, 1, 0),
      targets[target],
      Buffer.of(port >> 8, port & 0xff),
      Buffer.from('hello'),
    ]),
  );
  const { bytes } = await within(30_000, 'the answer', received);
  expect(bytes.subarray(0, 3)).toEqual(Buffer.of(5, 0, 5));
  expect(bytes.subarray(12).toString()).toBe(bytes[3] === granted ? 'hello' : '');
  return bytes[3]!;
}

async function replies(
  allow: readonly string[],
  port: number,
  wanted: readonly Target[],
): Promise<Partial<Record<Target, number>>> {
  const { socks } = await openProxies({ policy: policyOf({ allow }) });
  const heard: Partial<Record<Target, number>> = {};
  for (const target of wanted) heard[target] = await reply(socks, target, port);
  return heard;
}

test('a rule for the name admits clients that send the name, and none that send its address', async () => {
  const { port } = await echo();

  expect(await replies([`localhost:${port}`], port, ['name', 'ipv6', 'ipv4', 'mapped', 'ipv4 as a name'])).toEqual({
    name: granted,
    ipv6: notAllowed,
    ipv4: notAllowed,
    mapped: notAllowed,
    'ipv4 as a name': notAllowed,
  });
});

test('a rule for the IPv4 address says no to IPv6 at once, so that the client goes on to IPv4', async () => {
  const { port } = await echo();

  expect(await replies([`127.0.0.1:${port}`], port, ['ipv6', 'ipv4', 'mapped', 'ipv4 as a name'])).toEqual({
    ipv6: notAllowed,
    ipv4: granted,
    mapped: granted,
    'ipv4 as a name': granted,
  });
});

test(
  'where both addresses are allowed and the service has one, the name finds it, and the other is a refused ' +
    'connection',
  async () => {
    const { port } = await echo();

    expect(await replies([`127.0.0.1:${port}`, `[::1]:${port}`], port, ['ipv6', 'ipv4', 'name'])).toEqual({
      ipv6: refused,
      ipv4: granted,
      name: granted,
    });
  },
);

scenario(
  'curl: a rule for the name serves --socks5-hostname and --socks4a, not --socks5 and --socks4',
  ['curl', 'nginx'],
  async () => {
    const { http } = await startNginx();
    const port = http.split(':')[1]!;
    const { socks } = await openProxies({ policy: policyOf({ allow: [`localhost:${port}`] }) });
    const curl = async (...how: string[]): Promise<string> => {
      const { code, stdout, stderr } = await run('curl', [
        '-sS',
        ...how,
        `127.0.0.1:${socks}`,
        `http://localhost:${port}/hello`,
      ]);
      return code === 0 ? stdout : stderr;
    };

    for (const how of ['--socks5-hostname', '--socks4a'])
      expect(await curl(how)).toBe('hello from nginx over HTTP/1.1\n');
    expect(await curl('--socks5')).toMatch(/\(2\)/);
    expect(await curl('-4', '--socks4')).toMatch(/\(91\)/);
  },
);
