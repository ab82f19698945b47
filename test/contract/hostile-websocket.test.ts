/**
 * A client that proves who it is and then breaks the rules of RFC 6455: the connection ends at once,
 * within bounds, and no other client notices.
 * Rule: each frame is the first thing that is said after the upgrade, or follows a good HELLO.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import tls from 'node:tls';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { testEgress, testSession, testStream, type TestEgress } from '../support/in-process.ts';
import { within } from '../support/scope.ts';
import { echo } from '../support/services.ts';

const request = [
  'GET /adit HTTP/1.1',
  'Host: x',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  'Sec-WebSocket-Protocol: adit.v1',
  '',
  '',
].join('\r\n');
const hello = 0xc0;

/** One frame as a client masks it, with a key of zeros. */
function frame(
  first: number,
  payload: Uint8Array,
  { masked = true, length }: { readonly masked?: boolean; readonly length?: bigint } = {},
): Buffer {
  const mask = masked ? 0x80 : 0;
  const size = length ?? BigInt(payload.length);
  const head =
    size < 126n
      ? Buffer.from([first, mask | Number(size)])
      : Buffer.concat([Buffer.from([first, mask | 127]), Buffer.from(size.toString(16).padStart(16, '0'), 'hex')]);
  return Buffer.concat([head, Buffer.alloc(masked ? 4 : 0), payload]);
}

async function upgraded(egress: TestEgress): Promise<tls.TLSSocket> {
  const { cert, key } = egress.certs.client('mallory');
  const socket = tls.connect({
    host: '127.0.0.1',
    port: egress.port,
    ca: readFileSync(egress.certs.ca),
    cert: readFileSync(cert),
    key: readFileSync(key),
    ALPNProtocols: ['http/1.1'],
    minVersion: 'TLSv1.3',
  });
  socket.on('error', () => {
    /* it is cut */
  });
  await once(socket, 'secureConnect');
  socket.write(request);
  expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1\.1 101 /);
  return socket;
}

async function cut(socket: tls.TLSSocket): Promise<number> {
  let bytes = 0;
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  await within(
    20_000,
    'the end of the connection',
    new Promise<void>((resolve) => socket.resume().once('close', () => resolve())),
  );
  return bytes;
}

test.each([
  ['a frame that is not masked', frame(0x82, Buffer.from([hello]), { masked: false })],
  ['a reserved bit', frame(0xc2, Buffer.from([hello]))],
  ['an opcode that there is not', frame(0x83, Buffer.from([hello]))],
  ['a control opcode that there is not', frame(0x8b, Buffer.alloc(1))],
  ['a continuation of nothing', frame(0x80, Buffer.from([hello]))],
  [
    'a message begun in the middle of another',
    Buffer.concat([frame(0x02, Buffer.from([hello])), frame(0x82, Buffer.from([0]))]),
  ],
  ['a ping in pieces', frame(0x09, Buffer.alloc(1))],
  ['a ping of 126 bytes', frame(0x89, Buffer.alloc(126))],
  ['text', frame(0x81, Buffer.from('hello'))],
  ['a message of 512 KiB', frame(0x82, Buffer.alloc(0), { length: 1n << 19n })],
  ['a message of 2^63 bytes', frame(0x82, Buffer.alloc(0), { length: 1n << 63n })],
  ['a close with one byte', frame(0x88, Buffer.alloc(1))],
  ['a close with a code that there is not', frame(0x88, Buffer.from([0, 5]))],
  [
    '2 MiB in pieces of one message',
    Buffer.concat(Array.from({ length: 40 }, (_, n) => frame(n === 0 ? 0x02 : 0x00, Buffer.alloc(65_536, hello)))),
  ],
  [
    'a message in 129 pieces of a byte',
    Buffer.concat(Array.from({ length: 129 }, (_, n) => frame(n === 0 ? 0x02 : 0x00, Buffer.of(hello)))),
  ],
  ['a TLS handshake that is none', frame(0x82, Buffer.from([0x16, 3, 1, 0, 4, 1, 2, 3, 4]))],
  ['a HELLO that is none', frame(0x82, Buffer.alloc(64, hello))],
])('%s ends the connection, and the session of another client goes on', async (_what, bytes) => {
  const egress = await testEgress();
  const { stream, relay, opened } = testStream(
    await testSession(egress, egress.certs.client('alice')),
    (await echo()).at,
  );
  await opened;
  const socket = await upgraded(egress);
  socket.write(bytes);
  expect(await cut(socket)).toBeLessThan(1_000);
  expect([stream.dead, egress.lines.filter(({ event }) => event === 'connected').length]).toEqual([false, 1]);
  relay.abort('NO_ERROR', 'enough');
});

test('any bytes after the upgrade end the connection and make no session', async () => {
  const egress = await testEgress({ handshakeTimeoutMs: 1_000, maxHandshakes: 1_000 });
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), async (bytes) => {
      const socket = await upgraded(egress);
      socket.end(bytes);
      expect(await cut(socket)).toBeLessThan(1_000);
    }),
    { numRuns: 25 },
  );
  expect(egress.lines.filter(({ event }) => event === 'connected')).toEqual([]);
});
