import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import { openTunnel } from '../support/adit.ts';
import { within } from '../support/scope.ts';
import { service } from '../support/services.ts';

/** A WebSocket server of a page: the upgrade of RFC 6455, then every message is sent back (messages below 64 KiB). */
function webSocketEcho(socket: Socket): void {
  let seen = Buffer.alloc(0);
  let upgraded = false;
  socket.on('data', (chunk) => {
    seen = Buffer.concat([seen, chunk]);
    if (!upgraded) {
      const end = seen.indexOf('\r\n\r\n');
      if (end < 0) return;
      const key = /^sec-websocket-key: (.+)$/im.exec(seen.toString('latin1', 0, end))![1]!.trim();
      const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
          `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
      seen = seen.subarray(end + 4);
      upgraded = true;
    }
    for (let frame = take(seen); frame !== undefined; frame = take(seen)) {
      seen = seen.subarray(frame.size);
      const head =
        frame.payload.length < 126
          ? Buffer.of(0x80 | frame.opcode, frame.payload.length)
          : Buffer.of(0x80 | frame.opcode, 126, frame.payload.length >> 8, frame.payload.length & 0xff);
      socket.write(Buffer.concat([head, frame.payload]));
      if (frame.opcode === 8) socket.end();
    }
  });
}

function take(bytes: Buffer): { opcode: number; payload: Buffer; size: number } | undefined {
  if (bytes.length < 6) return undefined;
  const short = bytes[1]! & 0x7f;
  const at = short === 126 ? 4 : 2;
  if (bytes.length < at + 4) return undefined;
  const length = short === 126 ? bytes.readUInt16BE(2) : short;
  const size = at + 4 + length;
  if (bytes.length < size) return undefined;
  const mask = bytes.subarray(at, at + 4);
  return {
    opcode: bytes[0]! & 0x0f,
    size,
    payload: Buffer.from(bytes.subarray(at + 4, size).map((byte, index) => byte ^ mask[index % 4]!)),
  };
}

test('an upgrade, a thousand messages both ways in order, and a clean close', async () => {
  const page = await service(webSocketEcho);
  const tunnel = await openTunnel({ to: { page: page.at } });
  const socket = new WebSocket(`ws://127.0.0.1:${tunnel.port('page')}/chat`);
  const received: string[] = [];
  const all = new Promise<void>((resolve, reject) => {
    socket.addEventListener('error', () => {
      reject(new Error('the WebSocket failed'));
    });
    socket.addEventListener('message', ({ data }) => {
      received.push(String(data));
      if (received.length === 1000) resolve();
    });
  });

  await within(
    30_000,
    'the upgrade',
    new Promise((resolve) => {
      socket.addEventListener('open', resolve);
    }),
  );
  const sent = Array.from({ length: 1000 }, (_, index) => `${index} ${'x'.repeat(index % 7 === 0 ? 20_000 : 10)}`);
  for (const message of sent) socket.send(message);
  await within(30_000, 'every message', all);
  expect(received).toEqual(sent);
  const closed = new Promise<number>((resolve) => {
    socket.addEventListener('close', ({ code }) => {
      resolve(code);
    });
  });
  socket.close(1000);
  expect(await within(30_000, 'the close', closed)).toBe(1000);
});
