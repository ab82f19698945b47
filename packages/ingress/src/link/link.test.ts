import { expect, test } from '@jest/globals';
import type { Carrier } from '@adit/shared/carrier/contract';
import { encodeOpen } from '@adit/shared/protocol/open';
import { certificates } from '../../../../test/support/certificates.ts';
import { chaos } from '../../../../test/support/chaos.ts';
import { testEgress } from '../../../../test/support/in-process.ts';
import { testIngress } from '../../../../test/support/in-process-ingress.ts';
import { newCa, newClient } from '../../../../test/support/issuer.ts';
import { dialAlice, linkTo } from '../../../../test/support/one-link.ts';
import { within } from '../../../../test/support/scope.ts';
import { ask, chunkFrom, client, echo } from '../../../../test/support/services.ts';

test('connections live through three cuts of the path, byte for byte', async () => {
  const egress = await testEgress();
  const path = await chaos(egress.port);
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

test('after an egress lost the session, its connections are reset and new ones work', async () => {
  const first = await testEgress();
  const path = await chaos(first.port);
  const ingress = await testIngress({ ...first, port: path.port }, first.certs.client('alice'), {
    to: (await echo()).at,
  });
  const { socket, received } = await client(ingress.port);
  socket.write('x');
  await chunkFrom(socket);
  const second = await testEgress({ certs: first.certs });
  path.to = second.port;
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

test('an egress with an untrusted certificate gets no bytes, and is tried again', async () => {
  const egress = await testEgress();
  const others = certificates();
  const ingress = await testIngress({ port: egress.port, certs: others }, others.client('alice'), {
    to: '127.0.0.1:1',
  });
  expect(await ingress.until((line) => line.event === 'retrying')).toMatchObject({ code: 'EGRESS_CERT_INVALID' });
  expect(egress.lines.some(({ event }) => event === 'connected')).toBe(false);
});

test('a certificate that does not cover the name is an error that states the name', async () => {
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

test('when the egress drains, open connections finish there and new ones go to a new session', async () => {
  const first = await testEgress();
  const second = await testEgress({ certs: first.certs });
  const path = await chaos(first.port);
  const ingress = await testIngress({ ...first, port: path.port }, first.certs.client('alice'), {
    to: (await echo()).at,
  });
  const { socket } = await client(ingress.port);
  socket.write('open');
  await chunkFrom(socket);
  path.to = second.port;
  const drained = first.server.drain(new AbortController().signal);
  await second.until((line) => line.event === 'connected');
  expect(await ask(ingress.port, 'new')).toBe('new');
  socket.write('old');
  expect(String(await chunkFrom(socket))).toBe('old');
  socket.end();
  await within(30_000, 'the drain', drained);
});

test('the dialer is told of every answer of the egress, a welcome or a refusal', async () => {
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
