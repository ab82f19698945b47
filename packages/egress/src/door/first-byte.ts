/** Waits for the first byte of a connection without taking it. */
import type net from 'node:net';
import type { Duplex } from 'node:stream';
import { awaitReadable } from '@adit/shared/net/readiness';

/**
 * Whether an accepted socket is to be given to TLS, and to nothing else: something came, or it has ended and TLS finds
 * that. What came stays in the kernel where it can; where it was read, as behind a PROXY header, it is put back.
 */
export async function stirred(socket: net.Socket): Promise<boolean> {
  return (await awaitReadable(socket)) ?? heard(socket);
}

/** Whether a connection said something. That is put back. */
export async function heard(duplex: Duplex): Promise<boolean> {
  return (await firstByte(duplex)) !== undefined;
}

/** The first byte, which is put back; undefined if the connection ends before. The duplex is paused afterwards. */
export function firstByte(duplex: Duplex): Promise<number | undefined> {
  return new Promise((resolve) => {
    const stop = (): void => {
      duplex.off('data', seen).off('end', gone).off('close', gone).pause();
    };
    const gone = (): void => {
      stop();
      resolve(undefined);
    };
    const seen = (chunk: Buffer): void => {
      stop();
      duplex.unshift(chunk);
      resolve(chunk[0]);
    };
    if (duplex.destroyed) return resolve(undefined);
    duplex.on('data', seen).on('end', gone).on('close', gone);
    duplex.resume();
  });
}
