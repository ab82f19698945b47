/**
 * Sessions that lost their carrier: how long each is kept, and which one ends when there are too many or they hold too
 * much.
 * Rule: the one that has waited longest ends first. A session holds what it sent and the peer did not acknowledge; that
 * may still grow while it waits, by what was being read from its services, so it is counted again every second.
 * Not here: what sessions with a carrier hold; acknowledgements and a limit of each session bound that.
 */
import { formatDuration } from '@adit/shared/config/values/duration';
import type { Refusal } from '@adit/shared/errors';

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

export type Give<T> = (session: T, refusal: Refusal) => void;

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

  /** Ends the session of this identity that has waited longest, to make room for a new one; false if none waits. */
  makeRoom(owner: string): boolean {
    const oldest = this.#oldest(owner);
    if (oldest)
      this.#drop(oldest, { code: 'LIMIT_SESSIONS', reason: 'a newer session of the same identity took its place' });
    return oldest !== undefined;
  }

  /** Applies the limits to what is held now: first that of each identity, then that of all. */
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

  #drop(session: T, refusal: Refusal): void {
    this.remove(session);
    this.#give(session, refusal);
  }
}
