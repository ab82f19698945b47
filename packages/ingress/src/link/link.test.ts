import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import type { Carrier } from '@adit/shared/carrier/contract';
import { dialTls, serverOptions } from '@adit/shared/carrier/tls';
import { wireOfCode } from '@adit/shared/errors';
import { loadCredentials } from '@adit/shared/identity/credentials';
import { loadTrustAnchors } from '@adit/shared/identity/trust';
import { encodeOpen } from '@adit/shared/protocol/open';
import { ask, chunkFrom, client, echo } from '../../../../test/support/services.ts';
import { certificates } from '../../../../test/support/certificates.ts';
import { newCa, newClient } from '../../../../test/support/issuer.ts';
import { memoryLog, testEgress, type Line, type TestEgress } from '../../../../test/support/in-process.ts';
import { testIngress } from '../../../../test/support/in-process-ingress.ts';
import { atEnd, within } from '../../../../test/support/scope.ts';
import { Link, type LinkOptions } from './link.ts';

/** A path whose connections can be cut. */
async function cuttable(to: number): Promise<{ port: number; cut(): void }> {
  const pairs = new Set<net.Socket>();
  const server = net.createServer((near) => {
    const far = net.connect(to, '127.0.0.1');
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      pairs.add(one);
      one
        .on('error', () => other.destroy())
        .on('close', () => {
          pairs.delete(one);
          other.destroy();
        });
      one.pipe(other);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    for (const socket of pairs) socket.resetAndDestroy();
  };
  atEnd(() => {
    server.close();
    cut();
  });
  return { port: (server.address() as net.AddressInfo).port, cut };
}

function dialAlice(at: { port: number }, certs: TestEgress['certs'], signal: AbortSignal): Promise<Carrier> {
  const pair = certs.client('alice');
  return dialTls({
    host: '127.0.0.1',
    port: at.port,
    serverName: '127.0.0.1',
    credentials: loadCredentials({ cert: pair.cert, key: pair.key, role: 'client' }),
    ca: loadTrustAnchors(certs.ca),
    deadlineMs: 60_000,
    signal,
  });
}

/** A link as alice to wherever `at.port` points; an attempt may take a minute. */
function linkTo(
  at: { port: number },
  certs: TestEgress['certs'],
  changes: Partial<LinkOptions> = {},
): { link: Link; lines: Line[]; until: (match: (line: Line) => boolean) => Promise<Line> } {
  const { log, lines, until } = memoryLog();
  const link = new Link({
    name: 'edge',
    answered: () => {},
    onUsable: () => undefined,
    handshakeTimeoutMs: 60_000,
    maxCarrierAgeMs: 0,
    window: 262_144,
    replayLimitBytes: 1 << 20,
    agent: 'test',
    log,
    dial: (signal) => dialAlice(at, certs, signal),
    ...changes,
  });
  atEnd(() => link.stop());
  return { link, lines, until };
}

/** Listens, takes connections, and says nothing: before the TLS handshake, or after it. */
async function silent(
  server: net.Server,
  event: 'connection' | 'secureConnection',
): Promise<{ port: number; seen: () => number; reached: Promise<void> }> {
  let seen = 0;
  const sockets = new Set<net.Socket>();
  const reached = new Promise<void>((resolve) =>
    server.on(event, (socket: net.Socket) => {
      seen++;
      sockets.add(
        socket
          .on('error', () => {
            /* given up */
          })
          .resume(),
      );
      resolve();
    }),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { port: (server.address() as net.AddressInfo).port, seen: () => seen, reached };
}

test('connections live through three cuts of the path, byte for byte', async () => {
  const egress = await testEgress();
  const path = await cuttable(egress.port);
  const ingress = await testIngress({ ...egress, port: path.port }, egress.certs.client('alice'), {
    to: (await echo()).at,
  });
  const { socket } = await client(ingress.port);
  for (const round of [1, 2, 3]) {
    socket.write(`round ${round}`);
    expect(String(await chunkFrom(socket))).toBe(`round ${round}`);
    path.cut();
    await ingress.until((line) => line.event === 'detached');
  }
  socket.write('still here');
  expect(String(await chunkFrom(socket))).toBe('still here');
});

test('an egress that forgot the session is told apart: connections are reset, new ones work', async () => {
  const first = await testEgress();
  const path = await cuttable(first.port);
  let target = first.port;
  const switching = net.createServer((near) => {
    const far = net.connect(target, '127.0.0.1');
    near.pipe(far).pipe(near);
    near.on('error', () => far.destroy()).on('close', () => far.destroy());
    far.on('error', () => near.destroy()).on('close', () => near.destroy());
  });
  switching.listen(0, '127.0.0.1');
  await once(switching, 'listening');
  atEnd(() => {
    switching.close();
  });
  void path;
  const ingress = await testIngress(
    { port: (switching.address() as net.AddressInfo).port, certs: first.certs },
    first.certs.client('alice'),
    { to: (await echo()).at },
  );
  const { socket, received } = await client(ingress.port);
  socket.write('x');
  await chunkFrom(socket);
  const second = await testEgress({ certs: first.certs });
  target = second.port;
  for (const line of first.lines.filter(({ event }) => event === 'connected')) expect(line['resumed']).toBe(false);
  first.server.close(); // without a drain: as if it had been killed, but for the CLOSE
  expect((await within(30_000, 'the reset', received)).ending).toBe('reset');
  expect(await ask(ingress.port, 'again')).toBe('again');
});

test('a refusal that is final ends the link with its code', async () => {
  const egress = await testEgress();
  const stranger = egress.certs.write(
    'stranger',
    newClient(newCa('Other'), { subject: 'alice', uris: ['spiffe://example.org/client/alice'] }),
  );
  const ingress = await testIngress(egress, stranger, { to: '127.0.0.1:1' });
  expect(await ingress.running).toMatchObject({ code: 'CLIENT_CERT_UNKNOWN_CA', exitStatus: 4 });
});

test('an egress that cannot be trusted is never spoken to, and tried again', async () => {
  const egress = await testEgress();
  const others = certificates();
  const ingress = await testIngress({ port: egress.port, certs: others }, others.client('alice'), {
    to: '127.0.0.1:1',
  });
  expect(await ingress.until((line) => line.event === 'retrying')).toMatchObject({ code: 'EGRESS_CERT_INVALID' });
  expect(egress.lines.some(({ event }) => event === 'connected')).toBe(false);
});

test('a name that the certificate does not cover is said as such', async () => {
  const egress = await testEgress();
  const ingress = await testIngress(egress, egress.certs.client('alice'), {
    to: '127.0.0.1:1',
    serverName: 'elsewhere.example.org',
  });
  expect(await ingress.until((line) => line.event === 'retrying')).toMatchObject({
    code: 'EGRESS_CERT_INVALID',
    reason: expect.stringContaining('elsewhere.example.org'),
  });
});

test('when the egress drains, what is open finishes there and what is new goes to a new session', async () => {
  const first = await testEgress();
  const second = await testEgress({ certs: first.certs });
  let target = first.port;
  const front = net.createServer((near) => {
    const far = net.connect(target, '127.0.0.1');
    near.pipe(far).pipe(near);
    near.on('error', () => far.destroy()).on('close', () => far.destroy());
    far.on('error', () => near.destroy()).on('close', () => near.destroy());
  });
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  atEnd(() => {
    front.close();
  });
  const ingress = await testIngress(
    { port: (front.address() as net.AddressInfo).port, certs: first.certs },
    first.certs.client('alice'),
    { to: (await echo()).at },
  );
  const { socket } = await client(ingress.port);
  socket.write('open');
  await chunkFrom(socket);
  target = second.port;
  const drained = first.server.drain(new AbortController().signal);
  await second.until((line) => line.event === 'connected');
  expect(await ask(ingress.port, 'new')).toBe('new');
  socket.write('old');
  expect(String(await chunkFrom(socket))).toBe('old');
  socket.end();
  await within(30_000, 'the drain', drained);
});

test.each(['the dial', 'the wait for WELCOME'])(
  'a doubt ends %s that hangs in the old network, and the next attempt is made at once',
  async (where) => {
    const egress = await testEgress();
    const { certs } = egress;
    const hole =
      where === 'the dial'
        ? await silent(net.createServer(), 'connection')
        : await silent(
            tls.createServer(
              serverOptions(loadCredentials({ ...certs.egress, role: 'egress' }), loadTrustAnchors(certs.ca)),
            ),
            'secureConnection',
          );
    const at = { port: hole.port };
    const { link, until } = linkTo(at, certs);
    const running = link.run();
    await hole.reached;
    at.port = egress.port;
    link.doubt();
    await within(
      30_000,
      'the new attempt',
      until((line) => line.event === 'connected'),
    );
    expect(await until((line) => line.event === 'retrying')).toMatchObject({
      level: 'info',
      reason: 'the network changed',
      delayMs: 0,
    });
    link.stop();
    await running;
  },
);

test('doubts in a burst make one attempt a second, not one each', async () => {
  const egress = await testEgress();
  const hole = await silent(net.createServer(), 'connection');
  const { link } = linkTo({ port: hole.port }, egress.certs);
  const began = performance.now();
  const running = link.run();
  while (hole.seen() < 3) {
    link.doubt();
    await setImmediate();
  }
  expect(hole.seen()).toBeLessThanOrEqual(2 + (performance.now() - began) / 1_000);
  link.stop();
  await running;
});

test('an attempt to resume that hangs gives way after 3 s, the next after 6 s, then after its full deadline', async () => {
  const egress = await testEgress();
  const hole = await silent(net.createServer(), 'connection');
  const path = await cuttable(egress.port);
  const at = { port: path.port };
  const { link, lines, until } = linkTo(at, egress.certs, { handshakeTimeoutMs: 12_000 });
  const running = link.run();
  await within(
    30_000,
    'the session',
    until((line) => line.event === 'connected'),
  );
  at.port = hole.port;
  path.cut();
  await within(
    40_000,
    'the second late attempt',
    until((line) => line.event === 'retrying' && String(line['reason']).includes('within 6 s')),
  );
  at.port = egress.port;
  await within(
    40_000,
    'the resume',
    until((line) => line.event === 'connected' && line['resumed'] === true),
  );
  expect(lines.filter(({ event }) => event === 'retrying').map((line) => [line['code'], line['reason']])).toEqual(
    [3, 6].map((n) => ['LINK_TIMEOUT', `the egress edge did not take the session back within ${n} s`]),
  );
  link.stop();
  await running;
});

test(
  'a session that waits ends at its deadline, with its streams, although an attempt hangs and nobody is due to ' +
    'ask',
  async () => {
    const egress = await testEgress({ resumeWindowMs: 1_000 });
    const hole = await silent(net.createServer(), 'connection');
    const path = await cuttable(egress.port);
    const at = { port: path.port };
    // attempts have the minute of the dial
    const { link, lines, until } = linkTo(at, egress.certs, { handshakeTimeoutMs: 1_000 });
    const running = link.run();
    await within(
      30_000,
      'the session',
      until((line) => line.event === 'connected'),
    );
    let reset!: (code: number) => void;
    const ended = new Promise<number>((resolve) => {
      reset = resolve;
    });
    const stream = link.session!.open(
      encodeOpen({ destination: { kind: 'host', host: '127.0.0.1', port: 1 }, frontEnd: 'forward' }),
    );
    stream.events = { opened() {}, refused() {}, data() {}, end() {}, reset: ({ code }) => reset(code), writable() {} };
    at.port = hole.port;
    path.cut();
    await hole.reached;
    expect(await within(30_000, 'the end of the stream', ended)).toBe(wireOfCode('RESUME_EXPIRED'));
    expect(await until((line) => line.event === 'disconnected')).toMatchObject({ code: 'RESUME_EXPIRED', streams: 1 });
    at.port = egress.port;
    link.doubt();
    await within(
      30_000,
      'a new session',
      until(() => lines.filter((line) => line.event === 'connected' && line['resumed'] === false).length === 2),
    );
    link.stop();
    await running;
  },
);

test('an answer of the egress is told to whoever dials, be it a welcome or a refusal', async () => {
  const egress = await testEgress({ maxSessionsPerIdentity: 1 });
  const answers: string[] = [];
  for (const name of ['welcomed', 'refused']) {
    const { link, until } = linkTo(egress, egress.certs, { answered: () => answers.push(name) });
    void link.run();
    await within(
      30_000,
      name,
      until((line) => line.event === (name === 'welcomed' ? 'connected' : 'retrying')),
    );
  }
  expect(answers.slice(0, 2)).toEqual(['welcomed', 'refused']);
});

test(
  'the backoff goes on after carriers that moved nothing and died at once, and begins anew after one that moved ' +
    'something',
  async () => {
    const egress = await testEgress();
    const calls: string[] = [];
    const carriers: Carrier[] = [];
    let used!: () => void;
    const fourth = new Promise<void>((resolve) => {
      used = resolve;
    });
    const { link, lines, until } = linkTo(egress, egress.certs, {
      backoff: {
        next: () => {
          calls.push('next');
          return 0;
        },
        reset: () => {
          calls.push('reset');
        },
      },
      dial: async (signal) => {
        const carrier = await dialAlice(egress, egress.certs, signal);
        carriers.push(carrier);
        return carrier;
      },
      onUsable: () => {
        if (carriers.length < 4) carriers.at(-1)!.duplex.destroy();
        else used();
      },
    });
    const running = link.run();
    await within(30_000, 'the fourth carrier', fourth);
    expect(calls).toEqual(['next', 'next', 'next']);
    const stream = link.session!.open(
      encodeOpen({ destination: { kind: 'host', host: '127.0.0.1', port: 1 }, frontEnd: 'forward' }),
    );
    await within(
      30_000,
      'the refusal',
      new Promise<void>((refused) => {
        stream.events = { opened() {}, refused: () => refused(), data() {}, end() {}, reset() {}, writable() {} };
      }),
    );
    carriers.at(-1)!.duplex.destroy();
    await within(
      30_000,
      'the fifth',
      until(() => lines.filter(({ event }) => event === 'connected').length === 5),
    );
    expect(calls).toEqual(['next', 'next', 'next', 'reset', 'next']);
    link.stop();
    await running;
  },
);
