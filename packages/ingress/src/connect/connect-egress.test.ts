import { expect, test } from '@jest/globals';
import { dialProven } from '@adit/shared/carrier/proven-tls';
import { Deadline } from '@adit/shared/net/deadline';
import { AditError } from '@adit/shared/errors';
import { loadCredentials } from '@adit/shared/identity/credentials';
import { loadTrustAnchors } from '@adit/shared/identity/trust';
import { encodeOpen } from '@adit/shared/protocol/open';
import type { StreamOpener } from '@adit/shared/stream/contract';
import { Relay, type RelayOutcome } from '@adit/shared/stream/relay';
import { certificates } from '../../../../test/support/certificates.ts';
import { memoryLog, testEgress, type TestEgress } from '../../../../test/support/in-process.ts';
import { atEnd, within } from '../../../../test/support/scope.ts';
import { echo } from '../../../../test/support/services.ts';
import { vanishingProxy } from '../../../../test/support/vanishing-proxy.ts';
import { ConnectEgress } from './connect-egress.ts';

function connectTo({ port, certs }: Pick<TestEgress, 'port' | 'certs'>, kind: 'connect' | 'connect+h2') {
  const { log, until, lines } = memoryLog();
  const { cert, key } = certs.client('alice');
  const usable: StreamOpener[] = [];
  const link = new ConnectEgress({
    target: { kind, host: '127.0.0.1', port },
    deadlineMs: 15_000,
    log,
    onUsable: (opener) => usable.push(opener),
    dial: (signal) =>
      dialProven({
        host: '127.0.0.1',
        port,
        alpn: kind === 'connect' ? 'http/1.1' : 'h2',
        serverName: '127.0.0.1',
        credentials: loadCredentials({ cert, key, role: 'client' }),
        ca: loadTrustAnchors(certs.ca),
        deadline: new Deadline(15_000),
        signal,
      }),
  });
  const running = link.run();
  atEnd(() => link.stop());
  return { link, running, until, lines, usable };
}

test.each(['connect', 'connect+h2'] as const)(
  '%s: opens streams, and says once what a broken connection costs',
  async (kind) => {
    const egress = await testEgress();
    const { at } = await echo();
    const { link, until, usable, running } = connectTo(egress, kind);
    expect(await until((line) => line.event === 'connected')).toMatchObject({
      egress: `${kind}://127.0.0.1:${egress.port}`,
      carrier: kind,
      resumable: false,
      msg: expect.stringContaining('is reset'),
    });
    expect([usable.length, link.session]).toEqual([1, usable[0]]);
    const stream = link.session!.open(
      encodeOpen({ destination: { kind: 'host', host: '127.0.0.1', port: Number(at.split(':')[1]) } }),
    );
    await within(
      15_000,
      'the opening',
      new Promise<void>((resolve) => {
        new Relay(stream, {
          opened: () => resolve(),
          ended: () => {
            /* by the stop */
          },
        });
      }),
    );
    expect(link.streams).toBe(1);
    link.stop();
    await running;
    expect(link.session).toBeUndefined();
    expect((await egress.recorded()).end).toBe('reset');
  },
);

test.each([false, true])(
  'connect: a proxy whose connection ends without close_notify resets the stream (our half ended: %s)',
  async (finished) => {
    const certs = certificates();
    const { port } = await vanishingProxy(certs, { afterEnd: finished });
    const { link, until } = connectTo({ port, certs }, 'connect');
    await until((line) => line.event === 'connected');
    const stream = link.session!.open(encodeOpen({ destination: { kind: 'service', service: 'web' } }));
    const ended = new Promise<RelayOutcome>((resolve) => {
      new Relay(stream, { ended: resolve });
    });
    if (finished) stream.finish();
    expect(await within(15_000, 'the reset', ended)).toMatchObject({ end: 'reset', bytesReceived: 4 });
  },
);

test('tries again for ever, and says why there is no connection', async () => {
  const { log, until } = memoryLog();
  let tries = 0;
  const link = new ConnectEgress({
    target: { kind: 'connect', host: 'proxy.example', port: 443 },
    deadlineMs: 1_000,
    log,
    onUsable: () => {
      throw new Error('usable');
    },
    dial: () => {
      tries++;
      return Promise.reject(new AditError('EGRESS_UNREACHABLE', `try ${tries}`));
    },
  });
  const running = link.run();
  expect(await until((line) => line.event === 'retrying' && line['reason'] === 'try 3')).toMatchObject({
    code: 'EGRESS_UNREACHABLE',
    egress: 'connect://proxy.example:443',
  });
  expect([link.session, link.trouble]).toEqual([undefined, expect.stringMatching(/^try \d+$/)]);
  link.stop();
  await running;
});

test('after a swap new streams go to a new connection', async () => {
  const egress = await testEgress();
  const { link, until, usable } = connectTo(egress, 'connect+h2');
  await until((line) => line.event === 'connected');
  await link.swap('a new certificate');
  await until((line) => line.event === 'disconnected');
  while (usable.length < 2) await new Promise(setImmediate);
  expect(link.session).toBe(usable[1]);
});

test('a network change ends a dial that hangs, and the next one begins at once', async () => {
  const { log, until } = memoryLog();
  const dialled: AbortSignal[] = [];
  const link = new ConnectEgress({
    target: { kind: 'connect+h2', host: 'proxy.example', port: 443 },
    deadlineMs: 60_000,
    log,
    onUsable: () => {
      throw new Error('usable');
    },
    dial: (signal) => {
      dialled.push(signal);
      return new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(new AditError('EGRESS_UNREACHABLE', 'given up')), { once: true }),
      );
    },
  });
  const running = link.run();
  link.doubt();
  expect(await until((line) => line.event === 'retrying')).toMatchObject({
    level: 'info',
    reason: 'the network changed',
    delayMs: 0,
  });
  while (dialled.length < 2) await new Promise(setImmediate);
  link.stop();
  await running;
  expect(dialled.map(({ aborted }) => aborted)).toEqual([true, true]);
});
