/**
 * Bytes that look random, are cheap to make and are the same for the same seed: AES-128-CTR of zeros.
 */
import { createCipheriv, createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const block = Buffer.alloc(1024 * 1024);

/** `megabytes` chunks of 1 MiB. */
export function* pattern(megabytes: number, seed = 1): Generator<Buffer> {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16));
  for (let written = 0; written < megabytes; written++) yield cipher.update(block);
}

/** Writes them to a file; returns their SHA-256. */
export async function patternFile(path: string, megabytes: number, seed = 1): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(
    Readable.from(
      (function* () {
        for (const chunk of pattern(megabytes, seed)) {
          hash.update(chunk);
          yield chunk;
        }
      })(),
    ),
    createWriteStream(path),
  );
  return hash.digest('hex');
}

/** The SHA-256 of `megabytes` of pattern. */
export function patternHash(megabytes: number, seed = 1): string {
  const hash = createHash('sha256');
  for (const chunk of pattern(megabytes, seed)) hash.update(chunk);
  return hash.digest('hex');
}
