/**
 * Sessions that lost their carrier: how long each is kept, and which gives way when there are too many or they hold too much.
 * Rule: the one that has waited longest goes first; what a session holds is what it sent and nobody acknowledged.
 * A detached session reads nothing from its services once its buffers are full: what it holds does not grow.
 */
import { formatDuration, type Code } from '@adit/shared';

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

export type Give<T> = (session: T, why: { readonly code: Code; readonly reason: string }) => void;

export class Detached<T extends Keepable> {
  readonly #options: DetachedOptions;
  readonly #give: Give<T>;
  /** In the order in which they lost their carriers. */
  readonly #waiting = new Map<T, NodeJS.Timeout>();

  /** `give` ends a session; it has left here by then. */
  constructor(options: DetachedOptions, give: Give<T>) {
    this.#options = options;
    this.#give = give;
  }

  get size(): number { return this.#waiting.size; }

  add(session: T): void {
    const { resumeWindowMs } = this.#options;
    this.remove(session);
    const expire = (): void => this.#drop(session, { code: 'RESUME_EXPIRED', reason: `not resumed within ${formatDuration(resumeWindowMs)}` });
    this.#waiting.set(session, setTimeout(expire, resumeWindowMs).unref());
    this.#enforce(session.owner);
  }

  /** It was resumed, or ended. */
  remove(session: T): void {
    clearTimeout(this.#waiting.get(session));
    this.#waiting.delete(session);
  }

  /** Makes room for a new session of this identity, if one of its sessions waits; says whether it did. */
  makeRoom(owner: string): boolean {
    const oldest = this.#oldest(owner);
    if (oldest) this.#drop(oldest, { code: 'LIMIT_SESSIONS', reason: 'a newer session of the same identity took its place' });
    return oldest !== undefined;
  }

  #enforce(owner: string): void {
    const { maxDetachedPerIdentity, maxReplayPerIdentity, maxReplay } = this.#options;
    for (let tally = this.#tally(owner); tally.count > maxDetachedPerIdentity || tally.bytes > maxReplayPerIdentity; tally = this.#tally(owner)) {
      const what = tally.count > maxDetachedPerIdentity ? `${maxDetachedPerIdentity} sessions of this identity wait already` : 'the sessions of this identity hold too much';
      this.#drop(this.#oldest(owner)!, { code: 'OVERLOAD', reason: what });
    }
    while (this.#tally().bytes > maxReplay) this.#drop(this.#oldest()!, { code: 'OVERLOAD', reason: 'the sessions that wait hold too much' });
  }

  #tally(owner?: string): { readonly count: number; readonly bytes: number } {
    let count = 0;
    let bytes = 0;
    for (const session of this.#waiting.keys()) {
      if (owner !== undefined && session.owner !== owner) continue;
      count++;
      bytes += session.heldBytes;
    }
    return { count, bytes };
  }

  #oldest(owner?: string): T | undefined {
    for (const session of this.#waiting.keys()) if (owner === undefined || session.owner === owner) return session;
    return undefined;
  }

  #drop(session: T, why: { readonly code: Code; readonly reason: string }): void {
    this.remove(session);
    this.#give(session, why);
  }
}
