/**
 * Whether a stream moves bulk in one direction: a bucket that what it moves fills, and that leaks.
 * Rule: the clock is an argument. A stream is bulk when it moved 256 KiB more than the leak, which a page or an answer
 * of an API rarely is, and a transfer is within its first second. It stays bulk for seconds after it stopped, so that
 * streams do not go to and fro.
 */

/** 0.5 Mbit/s: four streams that share a path with loss get 1 to 2 each, and those are to be bulk. */
const leakBytesPerMs = 65;
const bulkFromBytes = 262_144;
const lightBelowBytes = 131_072;
/** From full, the bucket takes 4 s to let a stream be light again. */
const fullBytes = 393_216;

export class Meter {
  #level = 0;
  #atMs: number;
  #bulk = false;

  constructor(nowMs: number) {
    this.#atMs = nowMs;
  }

  /** It moved so many bytes. */
  add(bytes: number, nowMs: number): void {
    this.#leak(nowMs);
    this.#level = Math.min(fullBytes, this.#level + bytes);
    if (this.#level >= bulkFromBytes) this.#bulk = true;
  }

  isBulk(nowMs: number): boolean {
    this.#leak(nowMs);
    if (this.#level < lightBelowBytes) this.#bulk = false;
    return this.#bulk;
  }

  /** Nothing is left in it: it may be forgotten. */
  isEmpty(nowMs: number): boolean {
    this.#leak(nowMs);
    return this.#level === 0;
  }

  #leak(nowMs: number): void {
    this.#level = Math.max(0, this.#level - (nowMs - this.#atMs) * leakBytesPerMs);
    this.#atMs = nowMs;
  }
}
