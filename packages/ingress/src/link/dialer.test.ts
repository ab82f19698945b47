import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import type { Carrier } from '@adit/shared/carrier/contract';
import { loadCredentials } from '@adit/shared/identity/credentials';
import { loadTrustAnchors } from '@adit/shared/identity/trust';
import { connectSession } from '@adit/shared/session/connect';
import { newCa, newServer } from '../../../../test/support/issuer.ts';
import { memoryLog, testEgress, type TestEgress } from '../../../../test/support/in-process.ts';
import { atEnd } from '../../../../test/support/scope.ts';
import { closedPort } from '../../../../test/support/services.ts';
import { smallProxy } from '../../../../test/support/small-proxy.ts';
import { Dialer, type DialerOptions } from './dialer.ts';

function dialerTo(
  port: number,
  { certs }: Pick<TestEgress, 'certs'>,
  changes: Partial<DialerOptions> & { outerCa?: string; proxyPort?: number } = {},
): { dialer: Dialer; lines: ReturnType<typeof memoryLog>['lines'] } {
  const { log, lines } = memoryLog();
  const { cert, key } = certs.client('alice');
  const { outerCa, proxyPort, ...options } = changes;
  const trust = {
    ...(proxyPort !== undefined && {
      proxyFor: () => ({ scheme: 'http' as const, host: '127.0.0.1', port: proxyPort }),
    }),
    credentials: loadCredentials({ cert, key, role: 'client' }),
    ca: loadTrustAnchors(certs.ca),
    revocation: undefined,
    outerCa: outerCa === undefined ? undefined : loadTrustAnchors(outerCa),
  };
  const dialer = new Dialer({
    target: { kind: 'address', host: '127.0.0.1', port },
    carrier: 'auto',
    serverName: undefined,
    wsPath: '/adit',
    headers: [],
    trust: () => trust,
    deadlineMs: 30_000,
    log,
    network: () => 'home',
    ...options,
  });
  return { dialer, lines };
}

async function dialled(dialer: Dialer): Promise<Carrier> {
  const carrier = await dialer.dial(new AbortController().signal);
  atEnd(() => {
    carrier.duplex.destroy();
  });
  return carrier;
}

/** A box on the way to an egress: sees the first bytes of each connection, and says whether it resets it. */
async function box(to: number, resets: (first: Buffer, nth: number) => boolean): Promise<number> {
  let nth = 0;
  const server = net
    .createServer((socket) => {
      socket.on('error', () => {
        /* reset */
      });
      socket.once('data', (first: Buffer) => {
        if (resets(first, ++nth)) socket.resetAndDestroy();
        else {
          const far = net.connect(to, '127.0.0.1');
          far.on('error', () => socket.destroy());
          far.write(first);
          socket.pipe(far).pipe(socket);
        }
      });
    })
    .listen(0, '127.0.0.1');
  atEnd(() => {
    server.close();
  });
  await once(server, 'listening');
  return (server.address() as net.AddressInfo).port;
}

const speaksAdit = (first: Buffer): boolean => first.includes('adit/1');

test('TLS is used if it gets through', async () => {
  const egress = await testEgress();
  expect((await dialled(dialerTo(egress.port, egress).dialer)).kind).toBe('tls');
});

test('a WebSocket passes a box that resets unknown protocols, and is remembered for that network', async () => {
  const egress = await testEgress();
  let tlsTried = 0;
  const port = await box(egress.port, (first) => {
    if (speaksAdit(first)) tlsTried++;
    return speaksAdit(first);
  });
  let network = 'office';
  const { dialer } = dialerTo(port, egress, { network: () => network });
  for (let n = 0; n < 2; n++) {
    const carrier = await dialled(dialer);
    expect(carrier.kind).toBe('websocket');
    await connectSession(carrier, { window: 262_144, agent: 'test', deadlineMs: 30_000 });
    dialer.answered();
  }
  expect(tlsTried).toBe(1);
  network = 'home';
  expect((await dialled(dialer)).kind).toBe('websocket');
  expect(tlsTried).toBe(2);
});

test('after two carriers without an answer a WebSocket comes next, after five if TLS has worked', async () => {
  const egress = await testEgress();
  const { dialer } = dialerTo(egress.port, egress);
  const next = async (count: number): Promise<string[]> => {
    const kinds = [];
    for (let n = 0; n < count; n++) kinds.push((await dialled(dialer)).kind);
    return kinds;
  };
  expect(await next(3)).toEqual(['tls', 'tls', 'websocket']);
  dialer.answered();
  expect(await next(1)).toEqual(['websocket']);
  const fresh = dialerTo(egress.port, egress).dialer;
  await dialled(fresh);
  fresh.answered();
  const kinds = [];
  for (let n = 0; n < 6; n++) kinds.push((await dialled(fresh)).kind);
  expect(kinds).toEqual(['tls', 'tls', 'tls', 'tls', 'tls', 'websocket']);
  fresh.answered(); // a WebSocket that works where TLS did is no reason to forget TLS
  expect((await dialled(fresh)).kind).toBe('tls');
});

test('TLS inside a WebSocket passes a box that terminates TLS, and the box is named once', async () => {
  const egress = await testEgress({ listenHttp: [{ listen: { kind: 'tcp', host: '127.0.0.1', port: 0 }, spec: '' }] });
  const inspector = newCa('Corporate Inspection');
  const shown = egress.certs.write('shown', newServer(inspector));
  const plain = Number(egress.server.addresses[1]!.split(':').at(-1));
  const server = tls
    .createServer(
      { cert: readFileSync(shown.cert), key: readFileSync(shown.key), ALPNProtocols: ['http/1.1'] },
      (socket) => {
        socket.on('error', () => {
          /* ended */
        });
        const far = net.connect(plain, '127.0.0.1');
        far.on('error', () => socket.destroy());
        socket.pipe(far).pipe(socket);
      },
    )
    .listen(0, '127.0.0.1');
  atEnd(() => {
    server.close();
  });
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const { dialer, lines } = dialerTo(port, egress, { outerCa: egress.certs.write('inspector', inspector).cert });
  for (let n = 0; n < 2; n++) {
    const carrier = await dialled(dialer);
    expect(carrier).toMatchObject({ kind: 'websocket+tls', intermediary: 'CN=Corporate Inspection' });
    await connectSession(carrier, { window: 262_144, agent: 'test', deadlineMs: 30_000 });
    dialer.answered();
  }
  expect(lines.filter(({ event }) => event === 'intercepted')).toEqual([
    expect.objectContaining({ issuer: 'CN=Corporate Inspection' }),
  ]);
  // A box whose CA this machine does not trust gets no bytes, and is named all the same.
  await expect(dialerTo(port, egress).dialer.dial(new AbortController().signal)).rejects.toMatchObject({
    code: 'EGRESS_CERT_INVALID',
    message: expect.stringContaining('issued by CN=Corporate Inspection'),
  });
});

test('no other way is tried if nobody listens, or if the certificate of the egress is invalid', async () => {
  const egress = await testEgress();
  const port = await closedPort();
  await expect(dialerTo(port, egress).dialer.dial(new AbortController().signal)).rejects.toMatchObject({
    code: 'EGRESS_UNREACHABLE',
    message: `cannot reach the egress 127.0.0.1:${port} (ECONNREFUSED)`,
  });
  let connections = 0;
  const through = await box(egress.port, () => {
    connections++;
    return false;
  });
  await expect(
    dialerTo(through, egress, { serverName: 'elsewhere.example.org' }).dialer.dial(new AbortController().signal),
  ).rejects.toMatchObject({
    code: 'EGRESS_CERT_INVALID',
    message: expect.stringContaining('not for "elsewhere.example.org"'),
  });
  expect(connections).toBe(1);
});

test('a carrier that is set to TLS or WebSocket is that and nothing else', async () => {
  const egress = await testEgress();
  const port = await box(egress.port, speaksAdit);
  await expect(
    dialerTo(port, egress, { carrier: 'tls' }).dialer.dial(new AbortController().signal),
  ).rejects.toMatchObject({ code: 'EGRESS_UNREACHABLE' });
  expect((await dialled(dialerTo(port, egress, { carrier: 'websocket' }).dialer)).kind).toBe('websocket');
  expect(
    (
      await dialled(
        dialerTo(port, egress, {
          target: { kind: 'websocket', host: '127.0.0.1', port, path: '/adit' },
          wsPath: '/elsewhere',
        }).dialer,
      )
    ).kind,
  ).toBe('websocket');
  await expect(
    dialerTo(port, egress, {
      target: { kind: 'websocket', host: '127.0.0.1', port },
      wsPath: '/elsewhere',
    }).dialer.dial(new AbortController().signal),
  ).rejects.toMatchObject({ message: expect.stringContaining('was answered 404') });
});

test('when no way gets through, the error states every reason', async () => {
  const egress = await testEgress();
  const port = await box(egress.port, () => true);
  await expect(dialerTo(port, egress).dialer.dial(new AbortController().signal)).rejects.toMatchObject({
    code: 'EGRESS_UNREACHABLE',
    message: expect.stringMatching(/^no way to the egress .*ECONNRESET.*; .*wss:.*ECONNRESET/),
  });
});

test.each([
  ['tls', 'tls'],
  ['websocket', 'websocket'],
] as const)('a carrier of kind %s goes through the proxy that is named for the egress', async (carrier, kind) => {
  const egress = await testEgress();
  const proxy = await smallProxy({ answers: ['HTTP/1.1 200 OK\r\n\r\n'], relayTo: egress.port });
  expect(await dialled(dialerTo(egress.port, egress, { carrier, proxyPort: proxy.port }).dialer)).toMatchObject({
    kind,
    via: `http://127.0.0.1:${proxy.port}`,
  });
});

test('the headers for an intermediary before the egress are not shown to the proxy', async () => {
  const egress = await testEgress();
  const proxy = await smallProxy({ answers: ['HTTP/1.1 200 OK\r\n\r\n'], relayTo: egress.port });
  const headers = [{ name: 'X-Access', value: 'for-the-intermediary' }];
  await dialled(dialerTo(egress.port, egress, { carrier: 'websocket', proxyPort: proxy.port, headers }).dialer);
  expect(proxy.asked.join('')).toMatch(/^CONNECT /);
  expect(proxy.asked.join('')).not.toContain('for-the-intermediary');
});

test('a proxy that refuses is asked once, and not for a WebSocket too', async () => {
  const egress = await testEgress();
  const proxy = await smallProxy({
    answers: ['HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n'],
  });
  await expect(dialled(dialerTo(egress.port, egress, { proxyPort: proxy.port }).dialer)).rejects.toMatchObject({
    code: 'PROXY_AUTH_REQUIRED',
  });
  expect(proxy.asked).toHaveLength(1);
});
