/**
 * The backends of one service: which comes next, how many connections each has, and which are up.
 * Rule: a backend that is down is chosen only when no other is left, in the order of the file: the dial then gives the
 * client the real reason. Weight 0 is never chosen. What is known of a backend outlives a reload that keeps its name.
 * Not here: sockets (connect.ts), clocks (probes.ts), what an identity may reach (the policy).
 */
import type { Backend, Service } from '../policy/service.ts';
import { Health } from './health.ts';
import { leastConnections } from './least-connections.ts';
import { rendezvous } from './rendezvous.ts';
import { RoundRobin } from './round-robin.ts';

/** Without `health`: three failed dials in a row open the circuit, one successful probe closes it. */
export const circuitBounds = { rise: 1, fall: 3 } as const;

export interface Wanted {
  /** The backends that the identity may reach. */
  readonly permitted: readonly Backend[];
  /** The names of the backends that were tried for this stream. */
  readonly tried: ReadonlySet<string>;
  /** By what `source` recognises a caller. */
  readonly key: string;
}

/** `others`: how many more backends of the same health can be tried after it. */
export interface Choice {
  readonly backend: Backend;
  readonly others: number;
}

/** A backend went up or down. Of `all` backends that take streams, `up` are up now. */
export interface HealthChange {
  readonly service: Service;
  readonly backend: string;
  readonly isUp: boolean;
  readonly up: number;
  readonly all: number;
  readonly reason: string;
}

interface Known {
  readonly health: Health;
  open: number;
}

export class Pool {
  readonly #changed: (change: HealthChange) => void;
  readonly #known = new Map<string, Known>();
  #service: Service;
  #turns = new RoundRobin();

  constructor(service: Service, changed: (change: HealthChange) => void) {
    this.#service = service;
    this.#changed = changed;
    this.replace(service);
  }

  get service(): Service {
    return this.#service;
  }

  /** Does health matter? A single backend without `health` is dialled whether it is up or down. */
  get watched(): boolean {
    return this.#service.health !== undefined || this.#service.backends.length > 1;
  }

  /** Takes the service of a reloaded policy; what is known of a backend that stays is kept. */
  replace(service: Service): void {
    const bounds = service.health ?? circuitBounds;
    const names = new Set(service.backends.map(({ name }) => name));
    for (const name of this.#known.keys()) if (!names.has(name)) this.#known.delete(name);
    for (const name of names) {
      const known = this.#known.get(name);
      if (known === undefined) this.#known.set(name, { health: new Health(bounds), open: 0 });
      else known.health.rebound(bounds);
    }
    this.#service = service;
    this.#turns = new RoundRobin();
  }

  isUp(name: string): boolean {
    return this.#known.get(name)?.health.up ?? true;
  }

  /** The connections that a backend has now, dials included. */
  openOf(name: string): number {
    return this.#known.get(name)?.open ?? 0;
  }

  /** The next backend to try; undefined when every one was tried. */
  choose({ permitted, tried, key }: Wanted): Choice | undefined {
    const left = permitted.filter(({ name, weight }) => weight > 0 && !tried.has(name));
    const up = left.filter(({ name }) => this.isUp(name));
    const backend = up.length === 0 ? left[0] : this.#balance(up, key);
    return backend && { backend, others: Math.max(0, (up.length === 0 ? left : up).length - 1) };
  }

  /** Counts a connection of this backend until the result is called. */
  take(name: string): () => void {
    const known = this.#known.get(name);
    if (known === undefined)
      return () => {
        /* a reload removed the backend after it was chosen */
      };
    known.open++;
    let held = true;
    return () => {
      if (held) known.open--;
      held = false;
    };
  }

  /** Counts the outcome of a dial or a probe; `failure` says how it failed. */
  report(name: string, failure?: string): void {
    if (!this.watched) return;
    const known = this.#known.get(name);
    if (known?.health.report(failure === undefined) !== true) return;
    const taking = this.#service.backends.filter(({ weight }) => weight > 0);
    this.#changed({
      service: this.#service,
      backend: name,
      isUp: known.health.up,
      up: taking.filter((one) => this.isUp(one.name)).length,
      all: taking.length,
      reason: failure ?? '',
    });
  }

  #balance(up: readonly Backend[], key: string): Backend | undefined {
    switch (this.#service.balance) {
      case 'round-robin':
        return this.#turns.next(up);
      case 'least-connections':
        return leastConnections(up, ({ name }) => this.openOf(name), this.#turns);
      case 'source':
        return rendezvous(up, key)[0];
    }
  }
}
