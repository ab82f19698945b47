/**
 * The queue before the resolver. The threads that resolve names are few and shared by everybody, and one that asks a
 * silent server is taken until the resolver gives up, whether anybody still waits or not.
 * Rule: an owner (an identity, or a service of the policy) may have as many look-ups running as are free besides, thus
 * never more than half, and owners take turns. What waits is bounded in the same way. A look-up that nobody waits for
 * any more leaves the queue. Equal names are looked up once.
 * Not here: literal addresses, the deadline of a waiter (judged.ts), what the resolver is (resolve.ts, threads.ts).
 */
import type { LookUp, Resolve } from './resolve.ts';

export interface LookUpsOptions {
  /** Look-ups that may run at once. */
  readonly atOnce: number;
  readonly lookUp: LookUp;
  /** Names that may wait for one owner, and in all. */
  readonly maxWaitingPerOwner?: number;
  readonly maxWaiting?: number;
}

/** The queue is full: this name was not looked up. */
export class QueueFull extends Error {}

/** A name that waits costs some 500 bytes: 1 MiB for one owner, 8 MiB in all. */
const defaults = { maxWaitingPerOwner: 2_048, maxWaiting: 16_384 } as const;

interface Waiter {
  readonly answer: (addresses: readonly string[]) => void;
  readonly fail: (error: unknown) => void;
}

/** One name, and who waits for it. */
interface Job {
  readonly host: string;
  readonly waiters: Map<string, Set<Waiter>>;
  running: boolean;
}

interface Owner {
  readonly name: string;
  running: number;
  /** In the order in which they came. */
  readonly waiting: Set<Job>;
}

export class LookUps {
  readonly #options: Required<LookUpsOptions>;
  /** Names that wait or are looked up. */
  readonly #jobs = new Map<string, Job>();
  /** Those that have a look-up running or waiting; who had the last turn comes last. */
  readonly #owners = new Map<string, Owner>();
  #running = 0;
  #waiting = 0;

  constructor(options: LookUpsOptions) {
    this.#options = { ...defaults, ...options };
  }

  /** Look-ups that run. */
  get running(): number {
    return this.#running;
  }
  /** Places of the queue that are taken; a name that two owners wait for takes two. */
  get waiting(): number {
    return this.#waiting;
  }
  /** Owners in memory; for tests of leaks. */
  get owners(): number {
    return this.#owners.size;
  }

  /** How many look-ups of this owner run. */
  runningOf(owner: string): number {
    return this.#owners.get(owner)?.running ?? 0;
  }

  /** The resolver for one owner. */
  of(owner: string): Resolve {
    return (host, gone) => this.resolve({ owner, host, gone });
  }

  /**
   * The answer of the resolver. `gone` ends the wait, not a look-up that runs; the promise then stays open. Rejects
   * with QueueFull, or as the resolver does.
   */
  resolve({ owner, host, gone }: { readonly owner: string; readonly host: string; readonly gone: AbortSignal }) {
    return new Promise<readonly string[]>((answer, fail) => {
      const job = this.#jobs.get(host) ?? { host, waiters: new Map<string, Set<Waiter>>(), running: false };
      if (!job.running && !job.waiters.has(owner) && !this.#enter(owner, job)) {
        fail(
          new QueueFull(`${this.#owners.get(owner)?.waiting.size ?? 0} of ${this.#waiting} names wait for ${owner}`),
        );
        return;
      }
      this.#jobs.set(host, job);
      const waiter = { answer, fail };
      const ours = job.waiters.get(owner) ?? new Set();
      job.waiters.set(owner, ours.add(waiter));
      gone.addEventListener('abort', () => this.#leave(owner, job, waiter), { once: true });
      this.#startNext();
    });
  }

  /** Takes a place in the queue, if the owner may have one more: no more than are free besides. */
  #enter(name: string, job: Job): boolean {
    const { maxWaiting, maxWaitingPerOwner } = this.#options;
    const owner = this.#owners.get(name) ?? { name, running: 0, waiting: new Set() };
    if (owner.waiting.size >= Math.min(maxWaitingPerOwner, maxWaiting - this.#waiting)) return false;
    this.#owners.set(name, owner);
    owner.waiting.add(job);
    this.#waiting++;
    return true;
  }

  #leave(name: string, job: Job, waiter: Waiter): void {
    const ours = job.waiters.get(name);
    if (!ours?.delete(waiter) || ours.size > 0) return;
    job.waiters.delete(name);
    if (job.running) return; // it cannot be ended, and who asks for this name meanwhile gets its answer
    this.#dequeue(name, job);
    if (job.waiters.size === 0) this.#jobs.delete(job.host);
  }

  #dequeue(name: string, job: Job): void {
    const owner = this.#owners.get(name);
    if (!owner?.waiting.delete(job)) return;
    this.#waiting--;
    this.#forgetIdle(owner);
  }

  #startNext(): void {
    for (let owner = this.#next(); owner; owner = this.#next()) {
      const [job] = owner.waiting;
      owner.running++;
      this.#running++;
      this.#owners.delete(owner.name);
      this.#owners.set(owner.name, owner);
      void this.#run(job!, owner);
    }
  }

  /** Whose turn it is: the first owner that waits and may have one more running. */
  #next(): Owner | undefined {
    const free = this.#options.atOnce - this.#running;
    if (free <= 0 || this.#waiting === 0) return undefined;
    for (const owner of this.#owners.values()) if (owner.waiting.size > 0 && owner.running < free) return owner;
    return undefined;
  }

  async #run(job: Job, owner: Owner): Promise<void> {
    job.running = true;
    for (const name of job.waiters.keys()) this.#dequeue(name, job);
    let settle: (waiter: Waiter) => void;
    try {
      const addresses = await this.#options.lookUp(job.host);
      settle = ({ answer }) => answer(addresses);
    } catch (error) {
      settle = ({ fail }) => fail(error);
    }
    owner.running--;
    this.#running--;
    this.#forgetIdle(owner);
    this.#jobs.delete(job.host);
    for (const waiters of job.waiters.values()) for (const waiter of waiters) settle(waiter);
    this.#startNext();
  }

  #forgetIdle({ name, running, waiting }: Owner): void {
    if (running === 0 && waiting.size === 0) this.#owners.delete(name);
  }
}
