/**
 * Lines to a file descriptor in batches: one write for many access records, none on the hot path.
 * Rule: lines arrive whole and in order, and a pipe whose reader stalls never stalls the tunnel: the descriptor does
 * not block, memory is bounded, what is dropped is counted and said. A broken pipe ends the log in silence (nobody is
 * left to tell), not the process. Not sonic-boom: its flushSync syncs the disk at every call and never returns after
 * EPIPE.
 */
import { writeSync } from 'node:fs';

export interface LineSinkOptions {
  /** Milliseconds after which a waiting line is written at the latest. Default 50. */
  readonly delayMs?: number;
  /** Waiting text that is written at once, in UTF-16 units. Default 16 Ki. */
  readonly batchLength?: number;
  /** Waiting text beyond which lines are dropped, in UTF-16 units. Default 8 Mi. */
  readonly maxLength?: number;
  /** Makes the line that says how many were dropped. */
  readonly lost?: (lines: number) => string;
}

/** How long the end of the process waits for a reader that does not read. */
const maxExitWaitMs = 2_000;
/** How long a full pipe is left alone. */
const retryMs = 10;

export class LineSink {
  readonly #fd: number;
  readonly #options: Required<LineSinkOptions>;
  #waiting = '';
  /** The rest of a batch that the pipe did not take. */
  #rest: Buffer | undefined;
  #timer: NodeJS.Timeout | undefined;
  #dropped = 0;
  #broken = false;

  /**
   * The descriptor should be non-blocking where it is a pipe; for stderr, Node sees to that when `process.stderr` is
   * first used.
   */
  constructor(
    fd: number,
    { delayMs = 50, batchLength = 16_384, maxLength = 8_388_608, lost = () => '' }: LineSinkOptions = {},
  ) {
    this.#fd = fd;
    this.#options = { delayMs, batchLength, maxLength, lost };
  }

  /** Takes a line with its newline; it is written with its neighbours, soon. */
  write(line: string): void {
    if (this.#broken) return;
    if (this.#waiting.length + line.length > this.#options.maxLength) {
      this.#dropped++;
      return;
    }
    this.#waiting += line;
    if (this.#waiting.length >= this.#options.batchLength) this.flush();
    else this.#later(this.#options.delayMs);
  }

  /** Writes what waits, as far as the reader takes it; the rest follows. */
  flush(): void {
    // A full pipe is asked again by its timer, not by every line that comes meanwhile.
    if (this.#rest) return;
    this.#writeOut();
  }

  /**
   * Writes all that waits before it returns; for the end of the process. Gives up on a reader that stalls for two
   * seconds.
   */
  flushSync(): void {
    const deadline = performance.now() + maxExitWaitMs;
    while (!this.#writeOut() && performance.now() < deadline)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, retryMs);
  }

  #later(delayMs: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#writeOut();
    }, delayMs).unref();
  }

  /** Is everything written? */
  #writeOut(): boolean {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (!this.#broken) {
      this.#rest ??= this.#takeBatch();
      if (!this.#rest) return true;
      try {
        const written = writeSync(this.#fd, this.#rest);
        this.#rest = written < this.#rest.length ? this.#rest.subarray(written) : undefined;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') {
          this.#later(retryMs);
          return false;
        }
        this.#broken = true;
        this.#waiting = '';
      }
    }
    return true;
  }

  /** Everything that waits, with the line about what was dropped; undefined when there is nothing. */
  #takeBatch(): Buffer | undefined {
    const text = this.#dropped > 0 ? this.#waiting + this.#options.lost(this.#dropped) : this.#waiting;
    this.#waiting = '';
    this.#dropped = 0;
    return text === '' ? undefined : Buffer.from(text);
  }
}
