import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';
import { expect, test } from '@jest/globals';
import type { Carrier } from '@adit/shared/carrier/contract';
import { loadCredentials } from '@adit/shared/identity/credentials';
import { loadTrustAnchors } from '@adit/shared/identity/trust';
import { connectSession } from '@adit/shared/session/connect';
import { chaos } from '../../../../test/support/chaos.ts';
import { memoryLog, testEgress, type TestEgress } from '../../../../test/support/in-process.ts';
import { newCa, newServer } from '../../../../test/support/issuer.ts';
import { atEnd } from '../../../../test/support/scope.ts';
import { Dialer } from './dialer.ts';

/** Without a byte for so long an attempt fails; at this rate a handshake takes longer than that. */
const [deadlineMs, bytesPerSecond] = [2_000, 900];
/** What the dialling side sends passes at once, so that it hears something every tenth of a second. */
const slow = { bytesPerSecond, answersOnly: true, splitBytes: 100 };
/** The hello of the client has passed, and a part of the answer. */
const stallAfterBytes = 2_500;

type Way = 'tls' | 'websocket';

function dial(port: number, { certs }: TestEgress, { carrier, outerCa }: Ways): Promise<Carrier> {
  const { cert, key } = certs.client('alice');
  const trust = {
    credentials: loadCredentials({ cert, key, role: 'client' }),
    ca: loadTrustAnchors(certs.ca),
    revocation: undefined,
    outerCa: outerCa === undefined ? undefined : loadTrustAnchors(outerCa),
  };
  const dialer = new Dialer({
    target: { kind: 'address', host: '127.0.0.1', port },
    carrier,
    serverName: undefined,
    wsPath: '/adit',
    headers: [],
    trust: () => trust,
    deadlineMs,
    log: memoryLog().log,
  });
  return dialer.dial(new AbortController().signal);
}

interface Ways {
  readonly carrier: Way;
  readonly outerCa?: string;
}

/** What ends TLS before an egress that speaks HTTP. */
async function intermediary(egress: TestEgress): Promise<{ readonly port: number; readonly ca: string }> {
  const authority = newCa('Public');
  const shown = egress.certs.write('shown', newServer(authority));
  const plain = Number(egress.server.addresses[1]!.split(':').at(-1));
  const options = { cert: readFileSync(shown.cert), key: readFileSync(shown.key), ALPNProtocols: ['http/1.1'] };
  const server = tls.createServer(options, (socket) => {
    const far = net.connect(plain, '127.0.0.1');
    far.on('error', () => socket.destroy());
    socket.on('error', () => far.destroy());
    socket.pipe(far).pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  atEnd(() => {
    server.close();
  });
  await once(server, 'listening');
  return { port: (server.address() as net.AddressInfo).port, ca: egress.certs.write('public', authority).cert };
}

const withHttp = (): Promise<TestEgress> =>
  testEgress({ listenHttp: [{ listen: { kind: 'tcp', host: '127.0.0.1', port: 0 }, spec: '' }] });

/** A carrier of this kind through a slow network; the time that it took. */
async function dialledSlowly(kind: Carrier['kind']): Promise<{ readonly carrier: Carrier; readonly tookMs: number }> {
  const egress = await withHttp();
  const front = kind === 'websocket+tls' ? await intermediary(egress) : undefined;
  const network = await chaos(front?.port ?? egress.port, slow);
  const startedMs = performance.now();
  const carrier = await dial(network.port, egress, {
    carrier: kind === 'tls' ? 'tls' : 'websocket',
    ...(front && { outerCa: front.ca }),
  });
  atEnd(() => {
    carrier.duplex.destroy();
  });
  return { carrier, tookMs: performance.now() - startedMs };
}

test.each(['tls', 'websocket', 'websocket+tls'] as const)(
  'a handshake of a carrier by %s takes as long as the network needs while bytes arrive',
  async (kind) => {
    const { carrier, tookMs } = await dialledSlowly(kind);
    expect(carrier.kind).toBe(kind);
    expect(tookMs).toBeGreaterThan(deadlineMs);
    await connectSession(carrier, { window: 262_144, agent: 'test', deadlineMs: 30_000 });
  },
);

test.each(['tls', 'websocket'] as const)(
  'a handshake by %s in which nothing arrives any more ends',
  async (carrier) => {
    const egress = await testEgress();
    const network = await chaos(egress.port, { ...slow, stallAfterBytes });

    await expect(dial(network.port, egress, { carrier })).rejects.toMatchObject({
      code: 'LINK_TIMEOUT',
      message: expect.stringContaining(': nothing arrived for 2 s'),
    });

    expect(network.did.stalls).toBe(1);
  },
);
