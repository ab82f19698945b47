import { describe, expect, test } from '@jest/globals';
import { proxyBlock, proxyLine } from '../../shared/src/protocol/proxy-protocol-writer.ts';
import { ask, client, closedPort, echo, endingOf, service } from '../../../test/support/services.ts';
import { certificates } from '../../../test/support/certificates.ts';
import { testEgress } from '../../../test/support/in-process.ts';
import { testIngress, type TestIngress } from '../../../test/support/in-process-ingress.ts';

test('a local connection reaches the service and ends as it ended', async () => {
  const egress = await testEgress();
  const ingress = await testIngress(egress, egress.certs.client('alice'), { to: (await echo()).at });
  expect(await ask(ingress.port, 'hello')).toBe('hello');
});

test('a refused destination is a reset locally, with the reason of the egress in the log', async () => {
  const egress = await testEgress();
  const ingress = await testIngress(egress, egress.certs.client('alice'), { to: `127.0.0.1:${await closedPort()}` });
  expect(await endingOf(ingress.port)).toBe('reset');
  expect(await ingress.until((line) => line.event === 'refused')).toMatchObject({ code: 'CONNECTION_REFUSED' });
});

test('while the egress is away a connection waits, and is then reset with what stood in the way', async () => {
  const certs = certificates();
  const ingress = await testIngress({ port: await closedPort(), certs }, certs.client('alice'), {
    to: '127.0.0.1:1',
    connectTimeoutMs: 100,
  });
  expect(await endingOf(ingress.port)).toBe('reset');
  expect(await ingress.until((line) => line.event === 'refused')).toMatchObject({
    code: 'EGRESS_UNREACHABLE',
    reason: expect.stringMatching(/no session within 0.1 s: cannot reach the egress .*ECONNREFUSED/),
  });
});

test('a client that leaves while it waits leaves nothing behind', async () => {
  const certs = certificates();
  const ingress = await testIngress({ port: await closedPort(), certs }, certs.client('alice'), { to: '127.0.0.1:1' });
  const { socket } = await client(ingress.port);
  socket.resetAndDestroy();
  await ingress.agent.drain(new AbortController().signal);
});

test.each([5, 300_000])('a client that says %d bytes and ends while it waits is answered', async (bytes) => {
  const [certs, port] = [certificates(), await closedPort()];
  const ingress = await testIngress({ port, certs }, certs.client('alice'), {
    to: (await echo()).at,
    connectTimeoutMs: 30_000,
  });
  const answer = ask(ingress.port, 'x'.repeat(bytes));
  await ingress.until((line) => line.event === 'retrying');
  await testEgress({ certs, listen: [{ listen: { kind: 'tcp', host: '127.0.0.1', port }, spec: String(port) }] });
  expect(await answer).toHaveLength(bytes);
});

test('a reset of the service is a reset of the client, and the other way round', async () => {
  const egress = await testEgress();
  const resetting = await service((socket) => {
    socket.once('data', () => socket.resetAndDestroy());
  });
  const ingress = await testIngress(egress, egress.certs.client('alice'), { to: resetting.at });
  expect(await endingOf(ingress.port)).toBe('reset');
  const echoing = await echo();
  const other = await testIngress(egress, egress.certs.client('alice'), { to: echoing.at });
  const { socket } = await client(other.port);
  socket.once('data', () => socket.resetAndDestroy());
  socket.write('x');
  expect(await egress.recorded((record) => record.requested === echoing.at)).toMatchObject({
    end: 'reset',
    code: 'CONNECTION_RESET',
  });
});

test(
  'a front end learns where the connection arrived: one that came straight to a transparent port is reset, and ' +
    'the log says so',
  async () => {
    const egress = await testEgress();
    const ingress = await testIngress(egress, egress.certs.client('alice'), {
      to: '127.0.0.1:1',
      forwards: [],
      transparent: [{ listen: { kind: 'tcp', host: '127.0.0.1', port: 0 }, spec: '0' }],
    });
    expect(await endingOf(ingress.port)).toBe('reset');
    expect(await ingress.until((line) => line.event === 'refused')).toMatchObject({
      code: 'CLIENT_NOT_REDIRECTED',
      reason: expect.stringContaining(`127.0.0.1:${ingress.port}`),
    });
  },
);

describe('where a load balancer says who comes', () => {
  const ends = { source: { host: '192.0.2.7', port: 51_514 }, destination: { host: '198.51.100.1', port: 443 } };
  const listen = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const;
  const behindBalancer = async (): Promise<{
    egress: Awaited<ReturnType<typeof testEgress>>;
    ingress: TestIngress;
    at: string;
  }> => {
    const egress = await testEgress();
    const { port, at } = await echo();
    return {
      egress,
      at,
      ingress: await testIngress(egress, egress.certs.client('alice'), {
        to: at,
        forwards: [
          {
            listen,
            acceptProxy: true,
            destination: { kind: 'host', host: '127.0.0.1', port },
            spec: '0?accept-proxy:echo',
          },
        ],
      }),
    };
  };

  test.each([
    ['1', proxyLine(ends)],
    ['2', proxyBlock({ ends, checksum: true })],
  ])(
    'the client of a header of version %s is the one of the access record, and what follows the header arrives',
    async (_version, header) => {
      const { egress, ingress, at } = await behindBalancer();
      expect(await ask(ingress.port, Buffer.concat([header, Buffer.from('hello')]))).toBe('hello');
      expect(await egress.recorded((record) => record.requested === at)).toMatchObject({
        client: '192.0.2.7:51514',
        frontEnd: 'forward',
      });
    },
  );

  test('what begins with no header, or with half of one, is reset, and the log says why', async () => {
    const { ingress } = await behindBalancer();
    expect(await endingOf(ingress.port, 'GET / HTTP/1.1')).toBe('reset');
    expect(await ingress.until((line) => line.event === 'refused')).toMatchObject({
      code: 'CLIENT_MALFORMED',
      client: expect.stringMatching(/^127\.0\.0\.1:/),
      reason: expect.stringMatching(/does not begin with a PROXY protocol header; \?accept-proxy of its listener/),
    });
    const { socket, received } = await client(ingress.port);
    socket.end('PROXY TCP4 192');
    expect((await received).ending).toBe('reset');
    expect(await ingress.until((line) => line.event === 'refused' && line['code'] === 'PEER_GONE')).toBeDefined();
  });

  test('a connection that says nothing and goes is a health check, and no reason for a warning', async () => {
    const { ingress } = await behindBalancer();
    const { socket, received } = await client(ingress.port);
    socket.end();
    await received;
    expect(await ingress.until((line) => line.event === 'connection')).toMatchObject({
      level: 'debug',
      code: 'PEER_GONE',
    });
    expect(ingress.lines.filter(({ event }) => event === 'refused')).toEqual([]);
  });

  test.each(['PROXY UNKNOWN\r\n', proxyLine(ends)])(
    'one that asks a front end for nothing behind its header %j is one too',
    async (header) => {
      const egress = await testEgress();
      const ingress = await testIngress(egress, egress.certs.client('alice'), {
        to: '127.0.0.1:1',
        forwards: [],
        socks: [{ listen, acceptProxy: true, spec: '0?accept-proxy' }],
      });
      const { socket, received } = await client(ingress.port);
      socket.end(header);
      await received;
      expect(await ingress.until((line) => line.event === 'connection')).toMatchObject({
        level: 'debug',
        code: 'PEER_GONE',
        reason: expect.stringContaining('SOCKS'),
      });
      expect(ingress.lines.filter(({ event }) => event === 'refused')).toEqual([]);
    },
  );
});
