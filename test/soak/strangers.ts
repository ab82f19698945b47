/**
 * Attackers without a certificate: they open connections, get as far as they like, and say nothing or nonsense.
 * Rule: a connection that is cut is made again, so that there are always as many as stated.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import tls from 'node:tls';
import { helloOf } from '../support/client-hello.ts';
import type { Attack } from './attack.ts';

/** Connections that are held at once by each of the four that are silent: 300, more than there are places. */
const held = 75;
/** They share an address with each other, and with nobody else. */
const from = '127.0.0.66';
const holdMs = 2_000;
const hello = Buffer.from(await helloOf('localhost'), 'latin1');

export const strangers: Readonly<Record<string, Attack>> = {
  'silent from the first byte': silent(() => {}),
  'silent after one byte': silent((socket) => socket.write(hello.subarray(0, 1))),
  'silent after a ClientHello': silent((socket) => socket.write(hello)),
  'silent after a handshake': silent((socket) => {
    tls.connect({ socket, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] }).on('error', () => {});
  }),
  'a byte of a request at a time': async ({ port }, over) => {
    const below = connect({ port, host: '127.0.0.1', localAddress: from });
    const socket = tls.connect({ socket: below, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
    const closed = closing(socket);
    for (const byte of `GET / HTTP/1.1\r\nx-long: ${'x'.repeat(1_000)}`) {
      if (over() || socket.destroyed) break;
      socket.write(byte);
      await Promise.race([delay(50), closed]);
    }
    socket.destroy();
  },
  garbage: async ({ port }) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress: from });
    const closed = closing(socket);
    socket.write(Math.random() < 0.5 ? randomBytes(4_096) : Buffer.concat([hello.subarray(0, 60), randomBytes(600)]));
    await Promise.race([closed, delay(holdMs)]);
    socket.destroy();
  },
};

/** Holds that many connections for a while, each as far as `step` takes it, and makes those again that are cut. */
function silent(step: (socket: Socket) => unknown): Attack {
  return async ({ port }, over) => {
    const sockets = new Set<Socket>();
    const come = (): void => {
      const socket = connect({ port, host: '127.0.0.1', localAddress: from });
      sockets.add(socket);
      void once(socket, 'connect').then(
        () => step(socket),
        () => {},
      );
      void closing(socket).then(() => {
        if (sockets.delete(socket) && !over()) setTimeout(come, 500);
      });
    };
    for (let n = 0; n < held; n++) come();
    await delay(holdMs);
    const open = [...sockets];
    sockets.clear();
    for (const socket of open) socket.destroy();
  };
}

/** Resolves when it is closed, in whatever way. */
function closing(socket: Socket): Promise<void> {
  socket.on('error', () => {
    /* it is cut */
  });
  socket.resume();
  return new Promise((resolve) => {
    socket.once('close', () => resolve());
  });
}
