import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import type net from 'node:net';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { WebSocket } from 'ws';
import { atEnd, eventually, within } from '../../../../test/support/scope.ts';
import { readCarrier } from '../net/carrier-reads.ts';
import { maxMessageBytes } from '../protocol/websocket.ts';
import type { WebSocketDuplex } from './websocket-duplex.ts';
import { acceptUpgrade, subprotocol } from './websocket-server.ts';

/** A WebSocket of another implementation, and the duplex at its other end. */
async function pair(): Promise<{ raw: WebSocket; duplex: WebSocketDuplex }> {
  const accepted: WebSocketDuplex[] = [];
  const web = http.createServer().on('upgrade', (request, socket, head) => {
    acceptUpgrade({ request, socket, head }, (duplex) => accepted.push(duplex));
  });
  web.listen(0, '127.0.0.1');
  atEnd(() => {
    web.close();
  });
  await once(web, 'listening');
  const raw = new WebSocket(`ws://127.0.0.1:${(web.address() as net.AddressInfo).port}`, [subprotocol]);
  raw.on('error', () => {
    /* told by close */
  });
  await once(raw, 'open');
  atEnd(() => {
    raw.terminate();
  });
  return { raw, duplex: accepted[0]! };
}

async function everything(duplex: WebSocketDuplex): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of duplex as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function broken(duplex: WebSocketDuplex): Promise<Error | null> {
  await within(30_000, 'its end', new Promise<void>((resolve) => duplex.resume().once('close', () => resolve())));
  return duplex.errored;
}

test('bytes arrive as they were sent, whatever the messages are cut into, and an orderly close ends them', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 5_000 }), { maxLength: 20 }), async (messages) => {
      const { raw, duplex } = await pair();
      for (const message of messages) raw.send(message);
      raw.close(1000);
      expect(await everything(duplex)).toEqual(Buffer.concat(messages));
    }),
    { numRuns: 20 },
  );
});

test('passes pieces on past its buffer, in order, with what was read before, up to the close', async () => {
  const { raw, duplex } = await pair();
  raw.send('before'.repeat(3), { binary: true });
  await eventually('the first bytes', () => {
    duplex.read(0);
    return duplex.readableLength > 0;
  });
  const got: Buffer[] = [];
  const before = readCarrier(duplex, (bytes) => got.push(Buffer.from(bytes)));
  const bytes = randomBytes(500_000);
  for (let at = 0, size = 1; at < bytes.length; at += size, size = (size * 3) % 70_001)
    raw.send(bytes.subarray(at, at + size));
  raw.close(1000);
  duplex.resume();
  await within(30_000, 'the end', once(duplex, 'end'));

  expect(String(before)).toBe('before'.repeat(3));
  expect(Buffer.concat(got).equals(bytes)).toBe(true);
});

test('small writes of one turn go out as one message, large ones alone, in messages of at most 128 KiB', async () => {
  const { raw, duplex } = await pair();
  const sizes: number[] = [];
  raw.on('message', (data: Buffer) => sizes.push(data.length));
  duplex.cork();
  for (let n = 0; n < 10; n++) duplex.write(Buffer.alloc(10));
  duplex.write(Buffer.alloc(65_536));
  duplex.write(Buffer.alloc(300_000));
  duplex.uncork();
  duplex.end();
  await once(raw, 'close');
  expect(sizes).toEqual([100, 65_536, 131_072, 131_072, 37_856]);
});

test('a reader that does not read holds the sender back', async () => {
  const { raw, duplex } = await pair();
  const chunk = Buffer.alloc(1 << 16);
  for (let n = 0; n < 400; n++) raw.send(chunk);
  await new Promise(setImmediate);
  expect(duplex.readableLength).toBeLessThan(1 << 20);
  let bytes = 0;
  duplex.on('data', (data: Buffer) => {
    bytes += data.length;
    if (bytes === 400 * chunk.length) raw.close(1000);
  });
  await once(duplex, 'end');
  expect(bytes).toBe(400 * chunk.length);
});

test.each([
  ['text', (raw: WebSocket) => raw.send('hello'), /it sent text/],
  ['a message beyond the limit', (raw: WebSocket) => raw.send(Buffer.alloc(maxMessageBytes + 1)), /payload/i],
  ['a close for trouble', (raw: WebSocket) => raw.close(1011), /closed with code 1011/],
  ['a vanished peer', (raw: WebSocket) => raw.terminate(), /code 1006/],
])('%s breaks it', async (_what, act, reason) => {
  const { raw, duplex } = await pair();
  act(raw);
  expect((await broken(duplex))?.message).toMatch(reason);
});

test('pings whose answers nobody reads break it', async () => {
  const { raw, duplex } = await pair();
  raw.pause();
  const ping = (): void => {
    for (let n = 0; n < 5_000 && raw.readyState === raw.OPEN; n++) raw.ping(Buffer.alloc(125));
    if (!duplex.destroyed) setImmediate(ping);
  };
  ping();
  expect((await broken(duplex))?.message).toMatch(/does not read the answers/);
});
