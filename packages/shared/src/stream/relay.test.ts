import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { expect, test } from '@jest/globals';
import { MuxPair } from '../../../../test/support/mux-pair.ts';
import { atEnd } from '../../../../test/support/scope.ts';
import { PooledReads } from '../net/read-buffers.ts';
import { acceptPooled } from '../net/sockets.ts';
import { Relay, type RelayOutcome } from './relay.ts';

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
  const [[local]] = await Promise.all([once(server, 'connection') as Promise<[net.Socket]>, once(client, 'connect')]);
  local.on('error', () => {
    /* the relay listens too */
  });
  return { local, client };
}

/** A relay at the client's end of a pair of sessions; the other end is driven by hand. */
function relayed() {
  const pair = new MuxPair();
  const seen = pair.open();
  let tell!: (outcome: RelayOutcome) => void;
  const ended = new Promise<RelayOutcome>((resolve) => {
    tell = resolve;
  });
  const relay = new Relay(seen.stream, { ended: tell });
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
