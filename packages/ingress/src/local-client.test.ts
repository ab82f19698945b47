/** The client of a local connection, through a whole ingress: what it says of itself, and what is said of it. */
import { describe, expect, test } from '@jest/globals';
import { proxyBlock, proxyLine } from '../../shared/src/protocol/proxy-protocol-writer.ts';
import { ask, client, echo, endingOf } from '../../../test/support/services.ts';
import { testEgress } from '../../../test/support/in-process.ts';
import { testIngress, type TestIngress } from '../../../test/support/in-process-ingress.ts';

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

  test('a refusal of which more is known than the code says carries that advice', async () => {
    const egress = await testEgress();
    const ingress = await testIngress(egress, egress.certs.client('alice'), {
      to: '127.0.0.1:1',
      serverName: 'other.example',
      connectTimeoutMs: 500,
    });
    expect(await endingOf(ingress.port)).toBe('reset');
    expect(await ingress.until((line) => line.event === 'refused')).toMatchObject({
      code: 'EGRESS_UNREACHABLE',
      advice: expect.stringContaining('--server-name'),
    });
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
