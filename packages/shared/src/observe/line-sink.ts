/**
 * Lines to a file descriptor in batches: one write for many access records, no write on the hot path.
 * Rule: a reader that stalls never stalls the tunnel: writes are asynchronous, memory is bounded, and what is dropped is counted and said.
 * A broken pipe ends the log in silence (there is nobody left to tell) and not the process.
 * Not sonic-boom: its flushSync syncs the disk at every call and never returns after EPIPE.
 */
import { write, writeSync } from 'node:fs';

export interface LineSinkOptions {
  /** Milliseconds after which a waiting line is written at the latest. Default 50. */
  readonly delayMs?: number;
  /** Waiting bytes that start a write at once. Default 16 KiB. */
  readonly batchLength?: number;
  /** Waiting text beyond which lines are dropped, in UTF-16 units. Default 8 MiB. */
  readonly maxLength?: number;
  /** Makes the line that says how many were dropped. */
  readonly lost?: (lines: number) => string;
}

/** How long the end of the process waits for a reader that does not read. */
const maxExitWaitMs = 2_000;
const retryMs = 10;

export class LineSink {
  readonly #fd: number;
  readonly #options: Required<LineSinkOptions>;
  #waiting = '';
  #writing: Buffer | undefined;
  #flushAgain = false;
  #timer: NodeJS.Timeout | undefined;
  /** Set while a full pipe is given time; then `#writing` is not with the kernel. */
  #retry: NodeJS.Timeout | undefined;
  #dropped = 0;
  #broken = false;

  constructor(fd: number, { delayMs = 50, batchLength = 16_384, maxLength = 8_388_608, lost = () => '' }: LineSinkOptions = {}) {
    this.#fd = fd;
    this.#options = { delayMs, batchLength, maxLength, lost };
  }

  /** Takes a line with its newline; it is written with its neighbours, soon. */
  write(line: string): void {
    if (this.#broken) return;
    if (this.#waiting.length + line.length > this.#options.maxLength) { this.#dropped++; return; }
    this.#waiting += line;
    if (this.#waiting.length >= this.#options.batchLength) this.flush();
    else this.#timer ??= setTimeout(() => { this.#timer = undefined; this.flush(); }, this.#options.delayMs).unref();
  }

  /** Starts writing everything that waits. */
  flush(): void {
    if (this.#writing) { this.#flushAgain = true; return; }
    this.#writing = this.#takeBatch();
    if (this.#writing) this.#writeOn();
  }

  /**
   * Writes everything that waits before it returns; for the end of the process. A batch that the kernel has already stays with it.
   * Gives up on a reader that stalls for two seconds.
   */
  flushSync(): void {
    if (this.#retry && this.#writing) {
      clearTimeout(this.#retry);
      this.#drain(this.#writing);
      this.#retry = this.#writing = undefined;
    }
    const batch = this.#takeBatch();
    if (batch) this.#drain(batch);
  }

  /** Everything that waits, with the line about what was dropped; undefined when there is nothing. */
  #takeBatch(): Buffer | undefined {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#flushAgain = false;
    if (this.#broken) return undefined;
    const text = this.#dropped > 0 ? this.#waiting + this.#options.lost(this.#dropped) : this.#waiting;
    this.#waiting = '';
    this.#dropped = 0;
    return text === '' ? undefined : Buffer.from(text);
  }

  #writeOn(): void {
    write(this.#fd, this.#writing!, (error, written) => {
      if (error) {
        if (error.code === 'EAGAIN') this.#retry = setTimeout(() => { this.#retry = undefined; this.#writeOn(); }, retryMs).unref();
        else this.#break();
        return;
      }
      const rest = this.#writing!.subarray(written);
      this.#writing = rest.length > 0 ? rest : undefined;
      if (this.#writing) this.#writeOn();
      else if (this.#flushAgain || this.#dropped > 0 || this.#waiting.length >= this.#options.batchLength) this.flush();
    });
  }

  #drain(bytes: Buffer): void {
    const deadline = performance.now() + maxExitWaitMs;
    for (let rest = bytes; rest.length > 0 && !this.#broken;) {
      try {
        rest = rest.subarray(writeSync(this.#fd, rest));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || performance.now() > deadline) return this.#break();
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, retryMs);
      }
    }
  }

  #break(): void {
    this.#broken = true;
    this.#writing = undefined;
    this.#waiting = '';
    clearTimeout(this.#timer);
  }
}
