import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { type CuttableTunnel, openCuttableTunnel } from '../support/cuttable-tunnel.ts';
import { observed } from '../support/observed.ts';
import { eventually, within } from '../support/scope.ts';
import { hashingAnswer } from '../support/sha256.ts';
import { chunkFrom, client, closedPort, hashing, receive, service } from '../support/services.ts';

/** A tunnel to services, one carrier at a time, over a network that splits into small pieces. */
const setUp = (to: Readonly<Record<string, string>>): Promise<CuttableTunnel> =>
  openCuttableTunnel({
    to,
    network: { splitBytes: 701, delayMs: 2 },
    ingress: { flags: ['--connect-timeout', '60s'] },
  });

/**
 * Makes one after the other, sixty at least, every few milliseconds; cuts five times meanwhile, each time when six more
 * were begun since the session was resumed. Waits for all of them.
 */
async function cutWhileMaking<T>({ network, ingress }: CuttableTunnel, make: (n: number) => Promise<T>): Promise<T[]> {
  const all: Promise<T>[] = [];
  let cutting = true;
  const cuts = (async () => {
    for (let kill = 1; kill <= 5; kill++) {
      const enough = all.length + 6;
      await eventually('six more that were begun', () => all.length >= enough);
      network.cut(kill % 2 === 0 ? 'end' : 'reset');
      await ingress.process.event('connected', { resumed: true }, { nth: kill });
    }
  })().finally(() => {
    cutting = false;
  });
  while (cutting || all.length < 60) {
    all.push(make(all.length));
    await delay(15);
  }
  await cuts;
  return within(60_000, 'every answer', Promise.all(all), () => `${all.length} asked`);
}

test('streams that are being opened when the carrier dies are opened once each', async () => {
  const seen = new Map<string, number>();
  const watched = await service((socket) => {
    socket.once('data', (name: Buffer) => {
      seen.set(String(name), (seen.get(String(name)) ?? 0) + 1);
      socket.end(name);
    });
  });
  const tunnel = await setUp({ it: watched.at });
  const { network, port, egress } = tunnel;
  const answers = await cutWhileMaking(tunnel, async (n) => {
    const { socket, received } = await client(port('it'));
    socket.end(`stream ${n}`);
    return String((await received).bytes);
  });
  const names = answers.map((_, n) => `stream ${n}`);

  expect(answers).toEqual(names);
  expect([...seen.values()]).toEqual(names.map(() => 1));
  expect(network.kills).toBe(5);
  await egress.process.event('stream', {}, { nth: names.length });
  expect(egress.process.all('stream').map(({ end }) => end)).toEqual(names.map(() => 'finished'));
});

test('streams that are being refused when the carrier dies are refused once each, with the reason', async () => {
  const tunnel = await setUp({ gone: `127.0.0.1:${await closedPort()}` });
  const { network, port, egress, ingress } = tunnel;
  const endings = await cutWhileMaking(tunnel, async () => (await (await client(port('gone'))).received).ending);

  expect(new Set(endings)).toEqual(new Set(['reset']));
  await ingress.process.event('refused', { code: 'CONNECTION_REFUSED' }, { nth: endings.length });
  await egress.process.event('stream', { end: 'refused', code: 'CONNECTION_REFUSED' }, { nth: endings.length });
  expect(egress.process.all('stream')).toHaveLength(endings.length);
  expect(network.kills).toBe(5);
});

test('a half-close that falls into a cut arrives as a half-close, and the answer comes back', async () => {
  const sums = await hashing();
  const { network, port } = await setUp({ sums: sums.at });

  for (let round = 0; round < 10; round++) {
    const { socket, received } = await client(port('sums'));
    const bytes = randomBytes(20_000 + round * 1_000);
    socket.write(bytes);
    if (round % 2 === 0) network.cut();
    socket.end();
    if (round % 2 === 1)
      setImmediate(() => {
        network.cut('end');
      });
    expect(await within(30_000, 'the answer', received)).toEqual({
      bytes: Buffer.from(hashingAnswer(bytes)),
      ending: 'end',
    });
    socket.destroy();
  }

  expect(network.kills).toBe(10);
});

test('a stream that is half-closed either way goes on after a cut as what it was', async () => {
  let there: Promise<string> | undefined;
  const ends = await service((socket) => {
    there = receive(socket).then(({ bytes, ending }) => `${bytes} ${ending}`);
    socket.end('first');
  });
  const answers: (() => void)[] = [];
  const waits = await service((socket) => {
    socket.resume();
    socket.on('end', () => {
      answers.push(() => {
        socket.end('late');
      });
      tell();
    });
  });
  let tell = (): void => {};
  const { network, port, ingress } = await setUp({ ends: ends.at, waits: waits.at });
  const one = await client(port('ends'));

  expect(await one.received).toEqual({ bytes: Buffer.from('first'), ending: 'end' });
  const two = await client(port('waits'));
  const asked = new Promise<void>((resolve) => {
    tell = resolve;
  });
  two.socket.end('question');
  await within(30_000, 'the half-close at the service', asked);
  network.cut();
  await ingress.process.event('connected', { resumed: true });
  one.socket.write('still ');
  network.cut('end');
  one.socket.end('here');
  answers[0]!();
  expect(await within(30_000, 'the late answer', two.received)).toEqual({ bytes: Buffer.from('late'), ending: 'end' });
  expect(await within(30_000, 'the late bytes', there!)).toBe('still here end');
});

test.each(['client', 'service'] as const)(
  'a reset by the %s that falls into a cut arrives as a reset, and nothing is left behind',
  async (who) => {
    const watched = await observed();
    const { network, port, egress } = await setUp({ it: watched.at });

    for (let round = 0; round < 10; round++) {
      const near = await client(port('it'));
      near.socket.write('hello');
      const { socket: far, first, received: heard } = await watched.next();
      await within(30_000, 'its first bytes', first);
      const [from, ending] = who === 'client' ? ([near.socket, heard] as const) : ([far, near.received] as const);
      if (round % 2 === 0) {
        network.cut();
        from.resetAndDestroy();
      } else {
        from.resetAndDestroy();
        setImmediate(() => {
          network.cut();
        });
      }
      expect((await within(30_000, 'the reset', ending)).ending).toBe('reset');
    }
    await watched.idle();
    await egress.process.event('stream', { end: 'reset' }, { nth: 10 });

    expect(network.kills).toBe(10);
  },
);

test('a program that gives up while the carrier is gone takes its connection to the service with it', async () => {
  const watched = await service((socket) => {
    socket.write('greeting');
  });
  const { network, port, egress } = await setUp({ it: watched.at });
  const { socket } = await client(port('it'));

  expect(String(await chunkFrom(socket))).toBe('greeting');
  network.stall('all');
  network.cut();
  await egress.process.event('detached');
  socket.resetAndDestroy();
  await once(socket, 'close');
  network.flow();
  await watched.idle();
  expect(await egress.process.event('stream')).toMatchObject({ end: 'reset', code: 'CONNECTION_RESET' });
});
