/**
 * How many sessions and streams there may be, in all and per identity, and what one identity may cost.
 * Rule: a place is taken before any work is done for it and given back exactly once, when the last socket behind it is
 * gone.
 */
import type { Refusal } from '@adit/shared/errors';
import { TurnBudget } from '@adit/shared/session/turn-budget';
import { Waste } from './waste.ts';

export interface Lease {
  release(): void;
}

/** The place of a session. */
export interface SessionPlace extends Lease {
  /** How much of what it sends is parsed in one turn; all sessions of an identity share it. */
  readonly turns: TurnBudget;
}

export interface LimitOptions {
  readonly maxStreams: number;
  readonly maxStreamsPerIdentity: number;
  readonly maxSessionsPerIdentity: number;
  /** Streams that come to nothing, a second. */
  readonly maxFailedStreamsPerIdentity: number;
}

interface Counts {
  readonly turns: TurnBudget;
  streams: number;
  sessions: number;
  /** Lanes of sessions beside their first; each is a connection. */
  lanes: number;
}

export class Limits {
  readonly #options: LimitOptions;
  readonly #byIdentity = new Map<string, Counts>();
  readonly #waste: Waste;
  readonly #now: () => number;
  #streams = 0;

  /** `now`: a monotonic clock, ms. */
  constructor(options: LimitOptions, now = (): number => performance.now()) {
    this.#options = options;
    this.#now = now;
    this.#waste = new Waste(options.maxFailedStreamsPerIdentity);
  }

  get streams(): number {
    return this.#streams;
  }
  /** Identities that hold a place; for tests of leaks. */
  get identities(): number {
    return this.#byIdentity.size;
  }

  session(identity: string): SessionPlace | Refusal {
    const counts = this.#of(identity);
    if (counts.sessions >= this.#options.maxSessionsPerIdentity)
      return { code: 'LIMIT_SESSIONS', reason: `this identity has ${counts.sessions} sessions open already` };
    counts.sessions++;
    const lease = this.#lease(identity, counts, () => {
      counts.sessions--;
    });
    return { ...lease, turns: counts.turns };
  }

  /** A lane beside the first of a session: of one identity as many as it may have sessions. */
  lane(identity: string): Lease | Refusal {
    const counts = this.#of(identity);
    if (counts.lanes >= this.#options.maxSessionsPerIdentity)
      return { code: 'LIMIT_SESSIONS', reason: `this identity has ${counts.lanes} further lanes open already` };
    counts.lanes++;
    return this.#lease(identity, counts, () => {
      counts.lanes--;
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

  /** A stream of this identity came to nothing. Refuses with EXCESSIVE when the identity is to be sent away. */
  wasted(identity: string): Refusal | undefined {
    return this.#waste.add(identity, this.#now());
  }

  /** Why this identity may not come in now: EXCESSIVE. */
  spent(identity: string): Refusal | undefined {
    return this.#waste.refusal(identity, this.#now());
  }

  #of(identity: string): Counts {
    return this.#byIdentity.get(identity) ?? { turns: new TurnBudget(), streams: 0, sessions: 0, lanes: 0 };
  }

  #lease(identity: string, counts: Counts, give: () => void): Lease {
    this.#byIdentity.set(identity, counts);
    let held = true;
    return {
      release: () => {
        if (!held) return;
        held = false;
        give();
        if (counts.streams + counts.sessions + counts.lanes === 0) this.#byIdentity.delete(identity);
      },
    };
  }
}
