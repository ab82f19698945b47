/** SHA-256 in hex: of bytes, of a file, and of all that a stream gives. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Reads the file in pieces, so that it may be larger than memory. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

/** Reads to the end; a reset is an error. The stream stays as it is, so that a socket can still be written to. */
export async function sha256OfStream(stream: Readable): Promise<string> {
  const hash = createHash('sha256');
  await new Promise<void>((resolve, reject) => {
    stream
      .on('data', (chunk: Buffer) => {
        hash.update(chunk);
      })
      .once('end', resolve)
      .once('error', reject);
  });
  return hash.digest('hex');
}

/** What a `hashing` service answers to these bytes. */
export function hashingAnswer(bytes: Uint8Array | string): string {
  return `${Buffer.byteLength(bytes)} ${sha256(bytes)}`;
}
