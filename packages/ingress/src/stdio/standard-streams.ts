/**
 * Standard input and output as the ends of a connection.
 * Rule: the end of the output closes it, so that its reader sees the end while the input goes on; nothing else of this
 * process may write there.
 */
import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { Writable, type Readable } from 'node:stream';

const stdout = 1;

/** Resolves writes when they are with the kernel. */
class StandardOutput extends Writable {
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    process.stdout.write(chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    // `end` shuts a socket down, but leaves the descriptor open, and with it a pipe. Something has to be at its number:
    // the next file that is opened would get it.
    process.stdout.end(() => {
      closeSync(stdout);
      openSync(devNull, 'w');
      done();
    });
  }
}

/** What fails at the output is the error of the write, and of nobody else who listens there: a full disk is no bug. */
export function standardStreams(): { readonly input: Readable; readonly output: Writable } {
  process.stdout.removeAllListeners('error').on('error', () => {
    /* see above */
  });
  return { input: process.stdin, output: new StandardOutput() };
}
