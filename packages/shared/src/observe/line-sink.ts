/**
 * Writes lines to a file descriptor in batches: one write for many access records, none on the hot path.
 * Rule: lines arrive whole and in order, and a stalled reader of the pipe never stalls the tunnel: the descriptor does
 * not block, memory is bounded, and dropped lines are counted and reported. A broken pipe ends the log only.
 * Not sonic-boom: its flushSync syncs the disk at every call and never returns after EPIPE.
 */
import { writeSync } from 'node:fs';

export interface LineSinkOptions {
  /** How long a line waits at most, ms. Default 50. */
  readonly delayMs?: number;
  /** Length of the waiting text at which it is written at once, in UTF-16 units. Default 16 Ki. */
  readonly batchLength?: number;
  /** Length of the waiting text above which lines are dropped, in UTF-16 units. Default 8 Mi. */
  readonly maxLength?: number;
  /** The line that reports how many were dropped. */
  readonly lost?: (lines: number) => string;
}

/** How long the end of the process waits for a stalled reader. */
const maxExitWaitMs = 2_000;
/** How long to wait before a full pipe is tried again. */
const retryMs = 10;

export class LineSink {
  readonly #fd: number;
  readonly #options: Required<LineSinkOptions>;
  #waiting = '';
  /** The part of a batch that the pipe has not taken yet. */
  #rest: Buffer | undefined;
  #timer: NodeJS.Timeout | undefined;
  #dropped = 0;
  #broken = false;

  /**
   * A pipe should be non-blocking. For stderr, Node makes it so when `process.stderr` is first used.
   */
  constructor(
    fd: number,
    { delayMs = 50, batchLength = 16_384, maxLength = 8_388_608, lost = () => '' }: LineSinkOptions = {},
  ) {
    this.#fd = fd;
    this.#options = { delayMs, batchLength, maxLength, lost };
  }

  /** Takes a line with its newline, and writes it soon, together with others. */
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

  /** Writes the waiting text as far as the pipe takes it; the rest follows. */
  flush(): void {
    // The timer tries a full pipe again, not every new line.
    if (this.#rest) return;
    this.#writeOut();
  }

  /**
   * Writes all waiting text before it returns; for the end of the process. Gives up after two seconds of a stalled
   * reader.
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

  /** All waiting text and the report of dropped lines; undefined if there is none. */
  #takeBatch(): Buffer | undefined {
    const text = this.#dropped > 0 ? this.#waiting + this.#options.lost(this.#dropped) : this.#waiting;
    this.#waiting = '';
    this.#dropped = 0;
    return text === '' ? undefined : Buffer.from(text);
  }
}
