/** Waits for the first byte of a connection without taking it. */
import type { Duplex } from 'node:stream';

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
