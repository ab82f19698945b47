/**
 * How many sessions and streams there may be, in all and per identity.
 * Rule: a place is taken before any work is done for it and given back exactly once, when the last socket behind it is
 * gone.
 */
import type { Refusal } from '@adit/shared/errors';

export interface Lease {
  release(): void;
}

export interface LimitOptions {
  readonly maxStreams: number;
  readonly maxStreamsPerIdentity: number;
  readonly maxSessionsPerIdentity: number;
}

interface Counts {
  streams: number;
  sessions: number;
}

export class Limits {
  readonly #options: LimitOptions;
  readonly #byIdentity = new Map<string, Counts>();
  #streams = 0;

  constructor(options: LimitOptions) {
    this.#options = options;
  }

  get streams(): number {
    return this.#streams;
  }
  /** Identities that hold a place; for tests of leaks. */
  get identities(): number {
    return this.#byIdentity.size;
  }

  session(identity: string): Lease | Refusal {
    const counts = this.#of(identity);
    if (counts.sessions >= this.#options.maxSessionsPerIdentity)
      return { code: 'LIMIT_SESSIONS', reason: `this identity has ${counts.sessions} sessions open already` };
    counts.sessions++;
    return this.#lease(identity, counts, () => {
      counts.sessions--;
    });
  }

  stream(identity: string): Lease | Refusal {
    const counts = this.#of(identity);
    if (counts.streams >= this.#options.maxStreamsPerIdentity)
      return { code: 'LIMIT_STREAMS', reason: `this identity has ${counts.streams} streams open already` };
    if (this.#streams >= this.#options.maxStreams)
      return { code: 'OVERLOAD', reason: 'the egress has as many streams open as it may' };
    counts.streams++;
    this.#streams++;
    return this.#lease(identity, counts, () => {
      counts.streams--;
      this.#streams--;
    });
  }

  #of(identity: string): Counts {
    return this.#byIdentity.get(identity) ?? { streams: 0, sessions: 0 };
  }

  #lease(identity: string, counts: Counts, give: () => void): Lease {
    this.#byIdentity.set(identity, counts);
    let held = true;
    return {
      release: () => {
        if (!held) return;
        held = false;
        give();
        if (counts.streams === 0 && counts.sessions === 0) this.#byIdentity.delete(identity);
      },
    };
  }
}
