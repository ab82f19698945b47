import { once } from 'node:events';
import { duplexPair, type Duplex } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { certificates } from '../../../../test/support/certificates.ts';
import { eventually } from '../../../../test/support/scope.ts';
import { tlsPairs } from '../../../../test/support/tls-pair.ts';
import type { Carrier } from '../carrier/contract.ts';
import { encodeFrame, frameType } from '../protocol/mux/frame.ts';
import { SessionDriver } from './session-driver.ts';
import { TurnBudget } from './turn-budget.ts';

function carrier(duplex: Duplex): Carrier {
  duplex.on('error', () => {
    /* told by close */
  });
  return { kind: 'tls', duplex, remote: 'test', exportKey: () => Buffer.alloc(32) };
}

interface End {
  readonly driver: SessionDriver;
  readonly told: string[];
  readonly opened: Promise<void>;
  readonly lost: Promise<string>;
  readonly ended: Promise<string>;
}

function end(role: 'client' | 'server', turns?: TurnBudget): End {
  const told: string[] = [];
  const promise = <T>(): { promise: Promise<T>; resolve: (value: T) => void } => {
    let resolve!: (value: T) => void;
    return {
      promise: new Promise<T>((settle) => {
        resolve = settle;
      }),
      resolve,
    };
  };
  const [opened, lost, ended] = [promise<void>(), promise<string>(), promise<string>()];
  const driver = new SessionDriver(
    {
      role,
      resumable: true,
      receiveWindow: 262_144,
      sendWindow: 262_144,
      maxStreams: 10,
      replayLimitBytes: 1 << 20,
      pingAfterMs: 0,
      deadAfterMs: 60_000,
      ...(turns && { turns }),
    },
    {
      opened: (stream) => {
        stream.events = {
          opened() {},
          refused() {},
          data: (bytes) => {
            told.push(Buffer.from(bytes).toString());
            opened.resolve();
          },
          end() {},
          reset: ({ reason }) => {
            told.push(`reset: ${reason}`);
          },
          writable() {},
        };
      },
      goaway: () => {},
      lost: lost.resolve,
      ended: ({ reason }) => ended.resolve(reason),
    },
  );
  return { driver, told, opened: opened.promise, lost: lost.promise, ended: ended.promise };
}

const start = { offset: 0, partial: 0 };

test('what one end sends the other receives, and acknowledges without being asked', async () => {
  const [near, far] = duplexPair();
  const [client, server] = [end('client'), end('server')];
  client.driver.attach(carrier(near), start, new Uint8Array(0));
  server.driver.attach(carrier(far), start, new Uint8Array(0));
  const stream = client.driver.session.open(new Uint8Array(0));
  stream.events = { opened() {}, refused() {}, data() {}, end() {}, reset() {}, writable() {} };
  stream.sendCopy(Buffer.from('hello'));
  await server.opened;
  expect(server.told).toEqual(['hello']);
  while (client.driver.session.lane.log.unacked > 0) await once(near, 'data');
  client.driver.end({ code: 0, reason: 'done' });
  expect(await server.ended).toBe('done');
  expect(server.told).toEqual(['hello', 'reset: done']);
});

test('a carrier that closes or ends is told as lost, once, and the session stays', async () => {
  for (const how of ['destroy', 'end'] as const) {
    const [near, far] = duplexPair();
    const client = end('client');
    client.driver.attach(carrier(near), start, new Uint8Array(0));
    far[how]();
    expect(await client.lost).toMatch(/closed|ended/);
    expect([client.driver.attached, client.driver.session.over, near.destroyed]).toEqual([false, false, true]);
  }
});

test('bytes of an older carrier never reach the session', async () => {
  const [first, oldFar] = duplexPair();
  const [second, newFar] = duplexPair();
  const server = end('server');
  server.driver.attach(carrier(first), start, new Uint8Array(0));
  server.driver.attach(carrier(second), start, new Uint8Array(0));
  expect(first.destroyed).toBe(true);
  oldFar.write(Buffer.from('ff', 'hex'));
  newFar.write(Buffer.from('01000000000000010000000200000001' + '6869', 'hex'));
  await server.opened;
  expect(server.told).toEqual(['hi']);
  server.driver.detach();
});

test('a peer that breaks the protocol is told why, and the session ends', async () => {
  const [near, far] = duplexPair();
  const server = end('server');
  server.driver.attach(carrier(near), start, new Uint8Array(0));
  far.write(Buffer.from('0000000100000005ff', 'hex'));
  expect(await server.ended).toMatch(/never opened/);
  const frames: Buffer[] = [];
  far.on('data', (chunk: Buffer) => frames.push(chunk));
  await once(far, 'end');
  const close = Buffer.concat(frames).subarray(20); // behind the ACK of what was parsed
  expect([close[0], close.readUInt16BE(8)]).toEqual([0x83, 1]);
});

test('what came with the handshake is parsed first', async () => {
  const [near] = duplexPair();
  const server = end('server');
  server.driver.attach(carrier(near), start, Buffer.from('01000000000000010000000200000001' + '6869', 'hex'));
  expect(server.told).toEqual(['hi']);
  server.driver.detach();
});

describe('a budget', () => {
  /** One OPEN, and so many DATA frames of one byte, `0` to `9` again and again. */
  const flood = (count: number): Buffer =>
    Buffer.concat([
      encodeFrame(frameType.open, 1, new Uint8Array(0)),
      ...Array.from({ length: count }, (_, n) => encodeFrame(frameType.data, 1, Buffer.from(String(n % 10)))),
    ]);
  const whole = (count: number): string => Array.from({ length: count }, (_, n) => n % 10).join('');
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  test('spreads a flood over turns, in order, and lets nothing be read meanwhile', async () => {
    const [near, far] = duplexPair();
    const server = end('server', new TurnBudget());
    server.driver.attach(carrier(near), start, new Uint8Array(0));
    far.write(flood(5_000));
    far.write(encodeFrame(frameType.data, 1, Buffer.from('end')));
    await server.opened;
    expect(server.told.length).toBeLessThan(1_024);
    expect(near.isPaused()).toBe(true);
    for (let before = 0; server.told.length < 5_001; before = server.told.length) {
      expect(server.told.length - before).toBeLessThanOrEqual(2 * 1_024);
      await turn();
    }
    expect(server.told.join('')).toBe(`${whole(5_000)}end`);
    expect(near.isPaused()).toBe(false);
    server.driver.detach();
  });

  test('leaves bytes over that stay what they were, while TLS reads on into the same memory', async () => {
    const { client, server: far } = await (await tlsPairs(certificates()))();
    const server = end('server', new TurnBudget());
    server.driver.attach(far, start, new Uint8Array(0));
    const floods = 60_000; // several slabs: some are read into while something of the turns before waits
    client.duplex.write(flood(floods));
    await eventually('all of it', () => server.told.length === floods);
    expect(server.told.join('') === whole(floods)).toBe(true);
    server.driver.detach();
    client.duplex.destroy();
  });

  test('is shared: what one session takes another waits for', async () => {
    const turns = new TurnBudget();
    const ends = [end('server', turns), end('server', turns)];
    for (const { driver } of ends) driver.attach(carrier(duplexPair()[0]), start, flood(3_000));
    const told = (): number[] => ends.map((one) => one.told.length);
    expect(told()[1]).toBe(0);
    while (told().some((count) => count < 3_000)) await turn();
    expect(ends.map((one) => one.told.join(''))).toEqual([whole(3_000), whole(3_000)]);
    for (const { driver } of ends) driver.detach();
  });

  test('leaves what was not parsed to the next carrier, which brings it again', async () => {
    const server = end('server', new TurnBudget());
    server.driver.attach(carrier(duplexPair()[0]), start, flood(3_000));
    const { position } = server.driver.session.lane;
    const parsed = server.told.length;
    server.driver.detach();
    for (let n = 0; n < 3; n++) await turn();
    expect([server.told.length, server.driver.session.lane.position]).toEqual([parsed, position]);
    server.driver.attach(carrier(duplexPair()[0]), start, flood(3_000).subarray(position.offset));
    while (server.told.length < 3_000) await turn();
    expect(server.told.join('')).toBe(whole(3_000));
    server.driver.detach();
  });
});
