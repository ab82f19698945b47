/**
 * Joins two pairs of byte streams that are not both sockets: every byte, both directions, each with an end of its own.
 * Rule: nobody reads ahead of who writes; a failure of any of the four ends all of them, and the error that says most
 * is the one that comes out.
 * Not here: sockets, which the relay splices without copying.
 */
import type { Duplex, Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AditError } from '../errors.ts';

/** What is read from, and what is written to; of a duplex both are itself. */
export interface Ends {
  readonly input: Readable;
  readonly output: Writable;
}

/** Resolves when both directions have ended in order; else rejects, and all are destroyed with the reason. */
export async function joinEnds(near: Ends, far: Duplex): Promise<void> {
  const both = await Promise.allSettled([pipeline(near.input, far), pipeline(far, near.output)]);
  const reasons = both.flatMap((one): unknown[] => (one.status === 'rejected' ? [one.reason] : []));
  if (reasons.length > 0) throw reasons.find((reason) => reason instanceof AditError) ?? reasons[0];
}
