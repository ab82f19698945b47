/**
 * The services of the soak, as a process of their own: an echo, one that hashes, one that pours, one that resets, and
 * one that never reads.
 * usage: node test/soak/service.ts; prints their ports as one line of JSON, and ends by a signal.
 */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { pattern } from '../support/pattern.ts';
import { echo, hashing, resetting, service } from '../support/services.ts';

const services = {
  echo: await echo(),
  hashes: await hashing(),
  pours: await service((socket) => {
    socket.once('data', (megabytes: Buffer) => {
      pour(socket, Number(megabytes.toString())).catch(() => {
        /* the reader reset it */
      });
    });
  }),
  resets: await resetting(),
  deaf: await service(() => {}, { pauseOnConnect: true }),
};
process.stdout.write(
  `${JSON.stringify(Object.fromEntries(Object.entries(services).map(([name, { port }]) => [name, port])))}\n`,
);

/** Sends as many MiB of the pattern as were asked for, as fast as they are read, then ends. */
async function pour(socket: Socket, megabytes: number): Promise<void> {
  for (const chunk of pattern(megabytes)) {
    if (socket.destroyed) return;
    if (!socket.write(chunk)) await Promise.race([once(socket, 'drain'), once(socket, 'close')]);
  }
  socket.end();
}
