/**
 * The bytes that the demo transfers: blocks of random bytes, each with its number in front, so that a block that is
 * lost, doubled or out of place changes the hash. The same for everybody who starts with the same seed block.
 */
import { createHash, randomBytes } from 'node:crypto';

export const blockBytes = 1 << 20;

/** A block that `number` may be written into; the caller does not touch it while it is being sent. */
export function newSeed(): Buffer {
  return randomBytes(blockBytes);
}

export function numbered(block: Buffer, number: number): Buffer {
  block.writeBigUInt64BE(BigInt(number), 0);
  return block;
}

/** SHA-256 of the first `sizes[n]` bytes for each n; sizes are whole blocks, the smallest first. */
export function hashes(seed: Buffer, sizes: readonly number[]): string[] {
  const block = Buffer.from(seed);
  const hash = createHash('sha256');
  let number = 0;
  return sizes.map((size) => {
    for (; number * blockBytes < size; number++) hash.update(numbered(block, number));
    return hash.copy().digest('hex');
  });
}
