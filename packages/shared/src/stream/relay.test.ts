import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { MuxPair } from '../../../../test/support/mux-pair.ts';
import { atEnd, eventually } from '../../../../test/support/scope.ts';
import { PooledReads } from '../net/read-buffers.ts';
import { acceptPooled } from '../net/sockets.ts';
import { Relay, type RelayEvents, type RelayOutcome } from './relay.ts';

/** A connected pair of sockets: the relay's own and the client's. */
async function sockets(): Promise<{ local: net.Socket; client: net.Socket }> {
  const server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true }).listen(0, '127.0.0.1');
  atEnd(() => {
    server.close();
  });
  await once(server, 'listening');
  const client = net.connect({
    port: (server.address() as net.AddressInfo).port,
    host: '127.0.0.1',
    allowHalfOpen: true,
  });
  client.on('error', () => {
    /* looked for by `close` */
  });
  atEnd(() => client.destroy());
  const [[local]] = await Promise.all([once(server, 'connection') as Promise<[net.Socket]>, once(client, 'connect')]);
  local.on('error', () => {
    /* the relay listens too */
  });
  return { local, client };
}

/** A relay at the client's end of a pair of sessions; the other end is driven by hand. */
function relayed(events: Omit<RelayEvents, 'ended'> = {}) {
  const pair = new MuxPair();
  const seen = pair.open();
  let tell!: (outcome: RelayOutcome) => void;
  const ended = new Promise<RelayOutcome>((resolve) => {
    tell = resolve;
  });
  const relay = new Relay(seen.stream, { ended: tell, ...events });
  pair.streams.client.delete(seen.stream.id);
  pair.flush('client');
  pair.deliver('client');
  const far = pair.streams.server.get(1)!;
  far.stream.events = { opened() {}, refused() {}, data() {}, end() {}, reset() {}, writable() {} };
  const pump = (): void => {
    pair.flush('client');
    pair.deliver('client');
    pair.flush('server');
    pair.deliver('server');
  };
  return { pair, relay, ended, far: far.stream, pump };
}

test.each([
  [true, ['end']],
  [false, ['reset']],
])('an end that was read is told as it was (in order: %s)', async (inOrder, told) => {
  const { relay, far, pump } = relayed();
  const { local, client } = await sockets();
  const seen: string[] = [];
  far.events = { ...far.events, end: () => seen.push('end'), reset: () => seen.push('reset') };
  relay.attach({ socket: local, reads: undefined, peerEnd: { inOrder } }, { idleTimeoutMs: 0 });
  client.end();
  await eventually('the end', () => {
    pump();
    return seen.length > 0;
  });
  expect(seen).toEqual(told);
});

test.each(['pooled', 'plain'])('carries bytes both ways and each half-close by itself (%s reads)', async (reads) => {
  const { relay, far, pump, ended } = relayed();
  const { local, client } = await sockets();
  const got: Buffer[] = [];
  let finished = false;
  far.events = {
    ...far.events,
    data: (bytes) => got.push(Buffer.from(bytes)),
    end: () => {
      finished = true;
    },
  };
  const bytes = randomBytes(150_000);
  relay.attach(reads === 'pooled' ? acceptPooled(local) : { socket: local, reads: undefined }, { idleTimeoutMs: 0 });
  client.end(bytes);
  while (!finished) {
    await new Promise(setImmediate);
    pump();
  }
  expect(Buffer.concat(got).equals(bytes)).toBe(true);
  far.sendCopy(Buffer.from('answer'));
  far.finish();
  pump();
  expect(String((await once(client, 'data'))[0])).toBe('answer');
  await once(client, 'end');
  expect(await ended).toMatchObject({ end: 'finished', bytesSent: 150_000, bytesReceived: 6 });
});

test('holds what comes before there is a socket, and drops it when it is refused', async () => {
  const { relay, far, pump, ended } = relayed();
  far.sendCopy(Buffer.from('early'));
  pump();
  const { local, client } = await sockets();
  relay.attach(acceptPooled(local), { idleTimeoutMs: 0 });
  expect(String((await once(client, 'data'))[0])).toBe('early');
  far.reset({ code: 24, reason: 'gone' });
  pump();
  expect(await ended).toMatchObject({ end: 'reset', code: 24 });
  const other = relayed();
  other.far.sendCopy(Buffer.from('early'));
  other.pump();
  other.relay.refused({ code: 16, reason: 'no' });
  const late = await sockets();
  other.relay.attach(acceptPooled(late.local), { idleTimeoutMs: 0 });
  late.client.resume();
  await new Promise((resolve) => late.client.once('close', resolve));
  expect(late.client.bytesRead).toBe(0);
});

test('gives credit for what the socket took, so a client that does not read stops the far side', async () => {
  const { relay, far, pump } = relayed();
  const { local, client } = await sockets();
  relay.attach(acceptPooled(local), { idleTimeoutMs: 0 });
  client.pause();
  let sent = 0;
  const chunk = new Uint8Array(60_000);
  for (let idle = 0; idle < 50;) {
    if (far.canSend()) {
      far.sendCopy(chunk.subarray(0, 16_000));
      sent += 16_000;
      idle = 0;
    } else idle++;
    await new Promise(setImmediate);
    pump();
  }
  // What the kernel holds for the client, and at most the largest window.
  expect(sent).toBeLessThan(32 * 1024 * 1024);
  expect(far.canSend()).toBe(false);
  client.resetAndDestroy();
});

test('a reset of the client is a reset of the stream, with a reason', async () => {
  const { relay, far, pump, ended } = relayed();
  const { local, client } = await sockets();
  const reset = new Promise((resolve) => {
    far.events = { ...far.events, reset: resolve };
  });
  relay.attach(acceptPooled(local), { idleTimeoutMs: 0 });
  client.resetAndDestroy();
  expect(await ended).toMatchObject({ end: 'reset', code: 'CONNECTION_RESET' });
  pump();
  expect(await reset).toMatchObject({ code: 24 });
});

test('a connection without bytes is reset after the idle time, where there is one', async () => {
  const { relay, ended } = relayed();
  const { local, client } = await sockets();
  relay.attach(acceptPooled(local), { idleTimeoutMs: 20 });
  expect(await ended).toMatchObject({ end: 'reset', code: 'IDLE_TIMEOUT' });
  client.destroy();
});

test(
  'the read buffer goes back to the pool when the socket is closed and not before, also where a reset has to wait ' +
    'for a FIN',
  async () => {
    const { relay, far, pump, ended } = relayed();
    const { local, client } = await sockets();
    client.resume();
    const openAtClose: boolean[] = [];
    class Watched extends PooledReads {
      override close(): void {
        openAtClose.push(!local.destroyed);
        super.close();
      }
    }
    relay.attach({ socket: local, reads: new Watched() }, { idleTimeoutMs: 0 });
    far.sendCopy(Buffer.from('last words'));
    pump();
    await once(client, 'data');
    far.finish();
    far.reset({ code: 24, reason: 'gone' });
    pump(); // FIN and RESET in one read of the carrier
    await ended;
    await new Promise((resolve) => {
      if (local.closed) resolve(0);
      else local.once('close', resolve);
    });
    await new Promise(setImmediate);
    expect(openAtClose).toEqual([false]);
  },
);

test('small pieces for a client that does not read become few writes, and arrive exact', async () => {
  const { relay, far, pump } = relayed();
  const { local, client } = await sockets();
  const pooled = acceptPooled(local);
  const { socket } = pooled;
  relay.attach(pooled, { idleTimeoutMs: 0 });
  client.pause();
  const block = randomBytes(65_528);
  const sent: Buffer[] = [];
  // Until the kernel takes no more.
  for (let stalled = 0; stalled < 50; stalled = socket.writableLength > 0 ? stalled + 1 : 0) {
    if (socket.writableLength === 0) {
      relay.data(block);
      sent.push(block);
    }
    await new Promise(setImmediate);
  }
  const before = socket.writableLength;
  const writes = jest.spyOn(socket, 'write');

  const small = randomBytes(40_000);
  for (const [at] of small.entries()) {
    relay.data(small.subarray(at, at + 1));
    if (at % 100 === 0) await new Promise(setImmediate); // many turns, each with its flush
  }
  sent.push(small);
  far.finish();
  pump();

  expect(writes.mock.calls.length).toBeLessThan(6);
  expect(socket.writableLength - before).toBe(small.length);
  const got: Buffer[] = [];
  client.on('data', (chunk: Buffer) => got.push(chunk)).resume();
  await once(client, 'end');
  expect(Buffer.compare(Buffer.concat(got), Buffer.concat(sent))).toBe(0);
});

test('pieces of any size, before the dial and after it, arrive exact at a client that reads now and then', async () => {
  const size = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 20_000 }));
  await fc.assert(
    fc.asyncProperty(fc.array(size, { maxLength: 60 }), fc.nat(60), async (sizes, attachedAt) => {
      const { relay, far, pump } = relayed();
      const { local, client } = await sockets();
      const [sent, got]: Buffer[][] = [[], []];
      client.on('data', (chunk: Buffer) => {
        got!.push(chunk);
        if (chunk.length % 2 === 0) client.pause();
      });
      const ended = once(client, 'end');
      for (const [at, length] of sizes.entries()) {
        if (at === attachedAt) relay.attach(acceptPooled(local), { idleTimeoutMs: 0 });
        sent!.push(randomBytes(length));
        relay.data(Buffer.concat([sent!.at(-1)!, Buffer.alloc(at % 3 === 0 ? 50_000 : 0)]).subarray(0, length));
        if (at % 5 === 0) await new Promise(setImmediate);
        client.resume();
      }
      if (attachedAt >= sizes.length) relay.attach(acceptPooled(local), { idleTimeoutMs: 0 });
      far.finish();
      pump();
      const resuming = setInterval(() => client.resume(), 1);
      await ended;
      clearInterval(resuming);
      client.destroy();

      expect(Buffer.compare(Buffer.concat(got!), Buffer.concat(sent!))).toBe(0);
    }),
    { numRuns: 40 },
  );
});

test('tells how much waits, before the dial and for a socket', async () => {
  const waiting: number[] = [];
  const pair = relayed({ waiting: (bytes) => waiting.push(bytes) });
  pair.far.sendCopy(Buffer.from('early'));
  pair.pump();
  expect(waiting.at(-1)).toBe(5);
  const { local, client } = await sockets();

  pair.relay.attach(acceptPooled(local), { idleTimeoutMs: 0 });
  await once(client, 'data');

  expect(waiting.at(-1)).toBe(0);
});
