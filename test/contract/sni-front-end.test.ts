import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { helloOf } from '../support/client-hello.ts';
import { testEgress } from '../support/in-process.ts';
import { testIngress, type TestIngress } from '../support/in-process-ingress.ts';
import { within } from '../support/scope.ts';
import { client, echo } from '../support/services.ts';
import { frontEndContract, listenAnywhere } from './front-end-contract.ts';
import { alertBytes, alerts, sniPassthrough, sniRoutes } from './tls-dialects.ts';

frontEndContract({ sni: listenAnywhere }, [sniPassthrough]);

async function ingressWith(...routes: readonly string[]): Promise<TestIngress> {
  const egress = await testEgress();
  return await testIngress(egress, egress.certs.client('alice'), {
    to: '127.0.0.1:1',
    forwards: [],
    sni: listenAnywhere,
    sniRoutes: sniRoutes(...routes),
  });
}

/** All that a client hears that says this. */
async function heard(ingress: TestIngress, said: string): Promise<string> {
  const { socket, received } = await client(ingress.port);
  socket.write(said, 'latin1');
  const { bytes, ending } = await within(30_000, 'the alert', received);
  return ending === 'end' ? bytes.toString('latin1') : ending;
}

test('each name goes its own way, the most specific one', async () => {
  const [one, other] = [await echo(), await echo()];
  const ingress = await ingressWith(
    `*.example.com=${one.at}`,
    `web.example.com=${other.at}`,
    '*=refuse',
    'old.example.com=refuse',
  );
  for (const [name, at] of [
    ['a.example.com', one],
    ['web.example.com', other],
  ] as const) {
    const hello = await helloOf(name);
    const { socket, received } = await client(ingress.port);
    socket.end(hello, 'latin1');
    expect((await within(30_000, 'the echo', received)).bytes.toString('latin1')).toBe(hello);
    await within(30_000, 'the end', at.idle());
  }
  expect(await heard(ingress, await helloOf('old.example.com'))).toBe(alertBytes(alerts.unrecognizedName));
});

test.each([
  {
    what: 'a name without a route',
    said: await helloOf('web.example.org'),
    alert: alerts.unrecognizedName,
    code: 'CLIENT_NO_ROUTE',
    reason: /no --sni-route matches web\.example\.org/,
  },
  {
    what: 'no name',
    said: await helloOf(''),
    alert: alerts.missingExtension,
    code: 'CLIENT_NO_ROUTE',
    reason: /names no server/,
  },
  {
    what: 'no TLS',
    said: 'GET / HTTP/1.1\r\n\r\n',
    alert: alerts.unexpectedMessage,
    code: 'CLIENT_MALFORMED',
    reason: /a byte of 71, which is not TLS/,
  },
])('$what is told so in an alert, and the log says why', async ({ said, alert, code, reason }) => {
  const ingress = await ingressWith('*.example.com=web');
  expect(await heard(ingress, said)).toBe(alertBytes(alert));
  expect(await ingress.until((line) => line.event === 'refused')).toMatchObject({
    code,
    reason: expect.stringMatching(reason),
  });
});

test('a hello of 20 kB that comes byte by byte arrives as it was', async () => {
  const ingress = await ingressWith(`large.example.com=${(await echo()).at}`);
  const hello = Buffer.from(await helloOf('large.example.com', { minBytes: 20_000 }), 'latin1');
  expect(hello.length).toBeGreaterThan(20_000);
  const { socket, received } = await client(ingress.port);
  socket.setNoDelay(true);
  for (const [at, byte] of hello.entries()) {
    socket.write(Uint8Array.of(byte));
    if (at % 16 === 0) await new Promise(setImmediate);
  }
  const tail = randomBytes(1000);
  socket.end(tail);
  expect((await within(60_000, 'the echo', received)).bytes.equals(Buffer.concat([hello, tail]))).toBe(true);
});

test('a hello that claims to be larger than 64 KiB is refused at once', async () => {
  const ingress = await ingressWith('*=web');
  expect(await heard(ingress, '\x16\x03\x01\x01\x00\x01\x00\xff\xff')).toBe(alertBytes(alerts.decodeError));
  expect(await ingress.until((line) => line.event === 'refused')).toMatchObject({
    code: 'CLIENT_MALFORMED',
    reason: expect.stringContaining('more than 65536 bytes'),
  });
});

test('behind a load balancer the egress records the client that the header names', async () => {
  const at = await echo();
  const egress = await testEgress();
  const ingress = await testIngress(egress, egress.certs.client('alice'), {
    to: '127.0.0.1:1',
    forwards: [],
    sni: [{ ...listenAnywhere[0], acceptProxy: true }],
    sniRoutes: sniRoutes(`*=${at.at}`),
  });
  const { socket, received } = await client(ingress.port);
  socket.end(`PROXY TCP4 192.0.2.7 198.51.100.1 51514 443\r\n${await helloOf('web.example.com')}`, 'latin1');
  await within(30_000, 'the end', received);
  expect(await egress.recorded((record) => record.requested === at.at)).toMatchObject({
    client: '192.0.2.7:51514',
    frontEnd: 'sni',
  });
});
