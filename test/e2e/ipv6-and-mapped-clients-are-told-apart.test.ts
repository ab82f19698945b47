import { once } from 'node:events';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { expect, test } from '@jest/globals';
import { drive } from '@adit/shared/net/drive';
import { awaitProxyHeader } from '@adit/shared/protocol/proxy-protocol';
import { portOf, startEgress, startIngress } from '../support/adit.ts';
import { policyOfWeb, startBackends } from '../support/backends.ts';
import { certificates } from '../support/certificates.ts';
import { atEnd, within } from '../support/scope.ts';
import { receive, service } from '../support/services.ts';

const header = {
  deadlineMs: 30_000,
  maxBytes: 4_096,
  peer: 'the egress',
  codes: { timeout: 'LINK_TIMEOUT', closed: 'LINK_LOST', garbage: 'PROTOCOL_ERROR' },
} as const;
/** Where an ingress listens, and where its clients come from. */
const ways = [
  { listen: '*', from: '127.0.0.77', at: '127.0.0.1' },
  { listen: '*', from: '::1', at: '::1' },
  { listen: '[::1]', from: '::1', at: '::1' },
];
const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));

interface Client {
  readonly answer: string;
  /** Its own port. */
  readonly port: number;
}

async function askFrom(localAddress: string, { host, port }: { host: string; port: number }): Promise<Client> {
  const socket = connect({ host, port, localAddress, allowHalfOpen: true });
  atEnd(() => {
    socket.destroy();
  });
  await once(socket, 'connect');
  const { localPort = 0 } = socket;
  socket.end('x');
  const { bytes } = await within(30_000, 'the answer', receive(socket));
  return { answer: bytes.toString(), port: localPort };
}

(hasIpv6 ? test : test.skip)(
  'clients over IPv6, and those of a listener on *, are named in PROXY headers and in the logs',
  async () => {
    const files = certificates();
    const heard: unknown[] = [];
    const web = await service(
      (socket) =>
        void drive(socket, awaitProxyHeader(), header).then(({ value }) => {
          heard.push(value.source);
          socket.end('heard').resume();
        }),
      { pauseOnConnect: true },
    );
    const policy = JSON.stringify({
      version: 1,
      services: { web: { backends: [`tcp://${web.at}`], 'proxy-protocol': 'v2' } },
      rules: [{ name: 'web', identities: ['alice'], allow: ['web'] }],
    });
    const egress = await startEgress({ certificates: files, policy, host: '[::]' });
    const ingress = await startIngress({
      certificates: files,
      egressPort: egress.port,
      to: {},
      flags: ['--log-level', 'debug', ...ways.flatMap(({ listen }) => ['-L', `${listen}:0:web`])],
    });

    for (const [n, { from, at }] of ways.entries()) {
      const port = portOf(await ingress.process.event('listening', {}, { nth: n + 1 }));
      const asked = await askFrom(from, { host: at, port });
      const client = from.includes(':') ? `[${from}]:${asked.port}` : `${from}:${asked.port}`;
      expect(asked.answer).toBe('heard');
      expect(JSON.stringify(heard[n])).toContain(`:${asked.port}`);
      expect(JSON.stringify(heard[n])).toContain(from);
      expect(await egress.process.event('stream', { client })).toMatchObject({ end: 'finished' });
      await ingress.process.event('connection', { client });
    }

    expect(await egress.process.event('connected')).toMatchObject({
      remote: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
    });
  },
);

(hasIpv6 ? test : test.skip)(
  'hash-on: client spreads the clients of a listener on * over the backends, and one over IPv6 keeps its own',
  async () => {
    const files = certificates();
    const backends = await startBackends('a', 'b', 'c');
    const egress = await startEgress({
      certificates: files,
      policy: policyOfWeb({ backends: backends.map(({ at }) => at), balance: 'source', 'hash-on': 'client' }),
    });
    const ingress = await startIngress({
      certificates: files,
      egressPort: egress.port,
      to: {},
      flags: ['-L', '*:0:web'],
    });
    const port = portOf(await ingress.process.event('listening'));
    const place = async (from: string, host: string): Promise<string> =>
      (await askFrom(from, { host, port })).answer.slice(0, 1);
    const four = async (): Promise<string[]> => {
      const places: string[] = [];
      for (let n = 2; n < 26; n++) places.push(await place(`127.0.0.${n}`, '127.0.0.1'));
      return places;
    };

    const before = await four();
    const six = await place('::1', '::1');

    expect(new Set(before).size).toBe(3);
    expect(await four()).toEqual(before);
    expect(await place('::1', '::1')).toBe(six);
  },
);
