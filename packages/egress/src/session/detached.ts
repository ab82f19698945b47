/**
 * Sessions that lost their carrier: how long each is kept, and which gives way when there are too many or they hold too
 * much.
 * Rule: the one that has waited longest goes first; what a session holds is what it sent and nobody acknowledged. A
 * waiting session asks its services for nothing more, but what was being read still comes: what they hold is counted
 * again while any waits.
 * Not here: what sessions with a carrier hold; their acknowledgements and the limit of each bound that.
 */
import { formatDuration } from '@adit/shared/config/values/duration';
import type { Code } from '@adit/shared/errors';

export interface Keepable {
  /** The identity it counts for. */
  readonly owner: string;
  /** Replay memory, bytes. */
  readonly heldBytes: number;
}

export interface DetachedOptions {
  /** How long a session waits to be resumed, ms. */
  readonly resumeWindowMs: number;
  readonly maxDetachedPerIdentity: number;
  readonly maxReplayPerIdentity: number;
  readonly maxReplay: number;
}

/** How old a count may be, ms. */
const recountMs = 1_000;

export type Give<T> = (session: T, why: { readonly code: Code; readonly reason: string }) => void;

interface Tally {
  count: number;
  bytes: number;
}

export class Detached<T extends Keepable> {
  readonly #options: DetachedOptions;
  readonly #give: Give<T>;
  /** In the order in which they lost their carriers. */
  readonly #waiting = new Map<T, NodeJS.Timeout>();
  #recount: NodeJS.Timeout | undefined;

  /** `give` ends a session; it has left here by then. */
  constructor(options: DetachedOptions, give: Give<T>) {
    this.#options = options;
    this.#give = give;
  }

  get size(): number {
    return this.#waiting.size;
  }

  add(session: T): void {
    const { resumeWindowMs } = this.#options;
    this.remove(session);
    const expire = (): void =>
      this.#drop(session, { code: 'RESUME_EXPIRED', reason: `not resumed within ${formatDuration(resumeWindowMs)}` });
    this.#waiting.set(session, setTimeout(expire, resumeWindowMs).unref());
    this.#recount ??= setInterval(() => this.recount(), recountMs).unref();
    this.recount();
  }

  /** It was resumed, or ended. */
  remove(session: T): void {
    clearTimeout(this.#waiting.get(session));
    this.#waiting.delete(session);
    if (this.#waiting.size > 0) return;
    clearInterval(this.#recount);
    this.#recount = undefined;
  }

  /** Makes room for a new session of this identity, if one of its sessions waits; says whether it did. */
  makeRoom(owner: string): boolean {
    const oldest = this.#oldest(owner);
    if (oldest)
      this.#drop(oldest, { code: 'LIMIT_SESSIONS', reason: 'a newer session of the same identity took its place' });
    return oldest !== undefined;
  }

  /** Holds the limits against what is held now: first that of each identity, then that of all. */
  recount(): void {
    const { maxDetachedPerIdentity, maxReplayPerIdentity, maxReplay } = this.#options;
    const tallies = this.#tallies();
    for (const session of [...this.#waiting.keys()]) {
      const tally = tallies.get(session.owner)!;
      if (tally.count > maxDetachedPerIdentity)
        this.#evict(session, tally, `${maxDetachedPerIdentity} sessions of this identity wait already`);
      else if (tally.bytes > maxReplayPerIdentity && session.heldBytes > 0)
        this.#evict(
          session,
          tally,
          `the waiting sessions of this identity hold ${tally.bytes} bytes, more than ${maxReplayPerIdentity}`,
        );
    }
    const all = { count: 0, bytes: 0 };
    for (const { bytes } of tallies.values()) all.bytes += bytes;
    for (const session of [...this.#waiting.keys()]) {
      if (all.bytes <= maxReplay) return;
      if (session.heldBytes > 0)
        this.#evict(session, all, `the waiting sessions hold ${all.bytes} bytes, more than ${maxReplay}`);
    }
  }

  #tallies(): Map<string, Tally> {
    const tallies = new Map<string, Tally>();
    for (const { owner, heldBytes } of this.#waiting.keys()) {
      const tally = tallies.get(owner) ?? { count: 0, bytes: 0 };
      tally.count++;
      tally.bytes += heldBytes;
      tallies.set(owner, tally);
    }
    return tallies;
  }

  #evict(session: T, tally: Tally, reason: string): void {
    tally.count--;
    tally.bytes -= session.heldBytes;
    this.#drop(session, { code: 'OVERLOAD', reason });
  }

  #oldest(owner: string): T | undefined {
    for (const session of this.#waiting.keys()) if (session.owner === owner) return session;
    return undefined;
  }

  #drop(session: T, why: { readonly code: Code; readonly reason: string }): void {
    this.remove(session);
    this.#give(session, why);
  }
}
