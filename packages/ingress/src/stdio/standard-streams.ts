/**
 * Standard input and output as the ends of a connection.
 * Rule: ending the output closes its descriptor, so that the reader sees the end while the input goes on. Nothing else
 * in this process may write to standard output.
 */
import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { Writable, type Readable } from 'node:stream';

const stdout = 1;

/** A write is done when the kernel has it. */
class StandardOutput extends Writable {
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    process.stdout.write(chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    // `end` leaves the descriptor open, and so a pipe. Its number must not become free: the next file would get it.
    process.stdout.end(() => {
      closeSync(stdout);
      openSync(devNull, 'w');
      done();
    });
  }
}

/** An error of the output reaches the writer only, and is never an uncaught one: a full disk is no bug. */
export function standardStreams(): { readonly input: Readable; readonly output: Writable } {
  process.stdout.removeAllListeners('error').on('error', () => {
    /* see above */
  });
  return { input: process.stdin, output: new StandardOutput() };
}
