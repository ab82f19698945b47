import net from 'node:net';
import tls from 'node:tls';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { serverOptions } from '@adit/shared/carrier/tls';
import { wireOfCode } from '@adit/shared/errors';
import { loadCredentials } from '@adit/shared/identity/credentials';
import { loadTrustAnchors } from '@adit/shared/identity/trust';
import { encodeOpen } from '@adit/shared/protocol/open';
import { chaos } from '../../../../test/support/chaos.ts';
import { testEgress } from '../../../../test/support/in-process.ts';
import { linkTo, silent } from '../../../../test/support/one-link.ts';
import { within } from '../../../../test/support/scope.ts';

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

test('an attempt to resume that hangs ends after 3 s, the next after 6 s, then after its full deadline', async () => {
  const egress = await testEgress();
  const hole = await silent(net.createServer(), 'connection');
  const path = await chaos(egress.port);
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

test('a session that waits ends at its deadline, with its streams, even while an attempt hangs', async () => {
  const egress = await testEgress({ resumeWindowMs: 1_000 });
  const hole = await silent(net.createServer(), 'connection');
  const path = await chaos(egress.port);
  const at = { port: path.port };
  // a dial has a minute, as linkTo sets it
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
});
