/**
 * Megabytes of pattern both ways at once, over one connection.
 * Rule: each direction has its own pattern; both hashes have to be right.
 */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { expect } from '@jest/globals';
import { pattern, patternHash } from './pattern.ts';
import { within } from './scope.ts';
import { type Service, client, service } from './services.ts';
import { sha256OfStream } from './sha256.ts';

const [up, down] = [1, 2];

export interface Pouring extends Service {
  /** The SHA-256 of what the last client sent. */
  readonly arrived: () => Promise<string>;
}

/** A service that pours its pattern at each client, and hashes what comes. */
export async function pouring(megabytes: number): Promise<Pouring> {
  let arrived: Promise<string> | undefined;
  const both = await service((socket) => {
    arrived = sha256OfStream(socket);
    arrived.catch(() => {}); // looked at by `poursBothWays`
    pour(socket, megabytes, down).catch(() => {}); // its reader sees what is missing
  });
  return { ...both, arrived: () => arrived! };
}

/** A client of `pouring` on this port sends and receives everything. */
export async function poursBothWays(
  { arrived }: Pouring,
  {
    port,
    megabytes,
    withinMs,
    detail,
  }: {
    readonly port: number;
    readonly megabytes: number;
    /** For the direction down; the direction up may take 100 s more. */
    readonly withinMs: number;
    readonly detail: () => string;
  },
): Promise<void> {
  const { socket } = await client(port);
  const sent = pour(socket, megabytes, up);
  expect(await within(withinMs, `${megabytes} MiB down`, sha256OfStream(socket), detail)).toBe(
    patternHash(megabytes, down),
  );
  await sent;
  expect(await within(100_000, `${megabytes} MiB up`, arrived())).toBe(patternHash(megabytes, up));
}

/** Sends the whole pattern, then the end. */
async function pour(socket: Socket, megabytes: number, seed: number): Promise<void> {
  for (const chunk of pattern(megabytes, seed)) if (!socket.write(chunk)) await once(socket, 'drain');
  socket.end();
}
