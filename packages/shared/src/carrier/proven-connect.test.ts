import { once } from 'node:events';
import net from 'node:net';
import type tls from 'node:tls';
import { expect, test } from '@jest/globals';
import { smallProxy } from '../../../../test/support/small-proxy.ts';
import { atEnd } from '../../../../test/support/scope.ts';
import { askProven, type AskProvenOptions } from './proven-connect.ts';

/** The conversation alone: that the connection was judged is proven-tls.test.ts. */
async function connection(answer: string, more: { readonly end?: boolean } = {}) {
  const proxy = await smallProxy({ answers: [answer], ...more });
  const socket = net.connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => {
    /* told by who asks */
  });
  atEnd(() => {
    socket.destroy();
  });
  await once(socket, 'connect');
  const ask = (options: Partial<AskProvenOptions> = {}): Promise<void> =>
    askProven(
      { socket: socket as unknown as tls.TLSSocket },
      {
        to: { host: 'web.internal', port: 80 },
        name: 'connect://proxy.example:443',
        deadlineMs: 20_000,
        signal: new AbortController().signal,
        ...options,
      },
    );
  return { proxy, socket, ask };
}

test('a tunnel that is made begins with what came behind the answer', async () => {
  const { proxy, socket, ask } = await connection('HTTP/1.1 200 OK\r\n\r\nhello');
  await ask({ headers: { Via: '1.1 adit-1' } });
  expect(proxy.asked).toEqual(['CONNECT web.internal:80 HTTP/1.1\r\nHost: web.internal:80\r\nVia: 1.1 adit-1\r\n\r\n']);
  const heard = once(socket, 'data') as Promise<[Buffer]>;
  socket.resume();
  expect(String((await heard)[0])).toBe('hello');
});

test.each([
  [
    'HTTP/1.1 403 Forbidden\r\nProxy-Status: adit; error=http_request_denied; details="no"; ' +
      'adit-code=POLICY_DENIED\r\n\r\n',
    {},
    'POLICY_DENIED',
    'the proxy answered 403: no',
  ],
  [
    'HTTP/1.1 508 Loop Detected\r\nProxy-Status: adit; error=proxy_loop_detected; adit-code=VIA_LOOP\r\n\r\n',
    {},
    'VIA_LOOP',
    'the proxy answered 508 (proxy_loop_detected)',
  ],
  ['SSH-2.0-x\r\n', {}, 'PROTOCOL_ERROR', expect.stringContaining('connect://proxy.example:443')],
  ['HTTP/1.1 2', { end: true }, 'LINK_LOST', expect.stringContaining('connect://proxy.example:443')],
])('a tunnel that is not made leaves no connection: %j', async (answer, more, code, message) => {
  const { socket, ask } = await connection(answer, more);
  await expect(ask()).rejects.toMatchObject({ code, message });
  expect(socket.destroyed).toBe(true);
});

test('one that nobody waits for any more ends at once', async () => {
  const { socket, ask } = await connection('HTTP/1.1 100 Continue\r\n\r\n');
  await expect(ask({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'LINK_LOST' });
  const later = await connection('HTTP/1.1 100 Continue\r\n\r\n');
  const controller = new AbortController();
  const asking = later.ask({ signal: controller.signal });
  controller.abort();
  await expect(asking).rejects.toMatchObject({ code: 'LINK_LOST' });
  expect([socket.destroyed, later.socket.destroyed]).toEqual([true, true]);
});

test('one whose proxy says nothing is given up in time', async () => {
  const { ask } = await connection('HTTP/1.1 100 Continue\r\n\r\n');
  await expect(ask({ deadlineMs: 20 })).rejects.toMatchObject({ code: 'DIAL_TIMEOUT' });
});
