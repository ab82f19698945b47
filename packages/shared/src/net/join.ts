/**
 * Joins two pairs of byte streams that are not both sockets: every byte in both directions, each with its own end.
 * Rule: neither side reads ahead of the other's writes. A failure of any of the four ends all of them, and the most
 * specific error is the one that is reported.
 * Not here: two sockets, which the relay splices without copying.
 */
import type { Duplex, Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AditError } from '../errors.ts';

/** A stream to read from and one to write to. A duplex is both. */
export interface Ends {
  readonly input: Readable;
  readonly output: Writable;
}

/** Resolves when both directions have ended in order. Otherwise rejects, and all four are destroyed with the reason. */
export async function joinEnds(near: Ends, far: Duplex): Promise<void> {
  const both = await Promise.allSettled([pipeline(near.input, far), pipeline(far, near.output)]);
  const reasons = both.flatMap((one): unknown[] => (one.status === 'rejected' ? [one.reason] : []));
  if (reasons.length > 0) throw reasons.find((reason) => reason instanceof AditError) ?? reasons[0];
}
