/**
 * The bytes that wait in the egress for services, per identity, whichever way they came in: by a session or by CONNECT.
 * Rule: all streams of one identity together hold at most `maxBytes`. Beyond that, the one that holds most is reset
 * with OVERLOAD; its session or connection lives on, and so do its other streams.
 * Bounds: n bytes that wait hold at most 2 n of memory (5 n of what the last turn brought to a socket that had taken
 * everything), and a slab or two for each stream (shared/net/gatherer.ts).
 * Not here: what one stream may hold, which its credit or its window says.
 */
import type { Refusal } from '@adit/shared/errors';

/** Counts what waits for the service of one stream. */
export interface Waiting {
  /** So many bytes wait now. Called often. */
  set(bytes: number): void;
  /** The stream is over: nothing waits any more. */
  release(): void;
}

export class WaitingBytes {
  readonly #maxBytes: number;
  readonly #accounts = new Map<string, Account>();

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Identities with a stream; for tests of leaks. */
  get identities(): number {
    return this.#accounts.size;
  }

  /** Bytes that wait for the streams of an identity. */
  bytesOf(identity: string): number {
    return this.#accounts.get(identity)?.bytes ?? 0;
  }

  /** A stream of the identity; `cut` resets it, once and not within `set`. */
  stream(identity: string, cut: (refusal: Refusal) => void): Waiting {
    let account = this.#accounts.get(identity);
    if (account === undefined) {
      account = new Account(this.#maxBytes, () => this.#accounts.delete(identity));
      this.#accounts.set(identity, account);
    }
    return account.stream(cut);
  }
}

interface Held {
  bytes: number;
  readonly cut: (refusal: Refusal) => void;
}

/** All streams of one identity. */
class Account {
  bytes = 0;
  readonly #maxBytes: number;
  readonly #emptied: () => void;
  readonly #streams = new Set<Held>();

  constructor(maxBytes: number, emptied: () => void) {
    this.#maxBytes = maxBytes;
    this.#emptied = emptied;
  }

  stream(cut: (refusal: Refusal) => void): Waiting {
    const held: Held = { bytes: 0, cut };
    this.#streams.add(held);
    return {
      set: (bytes) => {
        if (bytes === held.bytes || !this.#streams.has(held)) return;
        this.bytes += bytes - held.bytes;
        held.bytes = bytes;
        while (this.bytes > this.#maxBytes) this.#cutLargest();
      },
      release: () => this.#forget(held),
    };
  }

  #cutLargest(): void {
    let most: Held | undefined;
    for (const held of this.#streams) if (most === undefined || held.bytes > most.bytes) most = held;
    const { cut } = most!; // holds something, because the sum does
    const { bytes } = this;
    this.#forget(most!);
    queueMicrotask(() =>
      cut({
        code: 'OVERLOAD',
        reason: 'the services of this client do not read: too many bytes wait for them in the egress',
        detail: `${bytes} bytes wait for the streams of this identity, at most ${this.#maxBytes}; this one held most`,
      }),
    );
  }

  #forget(held: Held): void {
    if (!this.#streams.delete(held)) return;
    this.bytes -= held.bytes;
    if (this.#streams.size === 0) this.#emptied();
  }
}
