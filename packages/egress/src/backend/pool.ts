/**
 * The backends of one service: which comes next, how many connections each has, and which are up.
 * Rule: a backend that is down is chosen only when no other is left, and then in the order of the file: who has nothing
 * better gets the real reason. Weight 0 is never chosen. What is known of a backend outlives a reload that keeps its
 * name.
 * Not here: sockets (connect.ts), clocks (checks.ts), what an identity may reach (the policy).
 */
import type { Backend, Service } from '../policy/service.ts';
import { Health } from './health.ts';
import { leastConnections } from './least-connections.ts';
import { rendezvous } from './rendezvous.ts';
import { RoundRobin } from './round-robin.ts';

/** Without checks: three dials in a row that fail open the circuit, one look that succeeds closes it. */
export const circuitBounds = { rise: 1, fall: 3 } as const;

export interface Wanted {
  /** Those that the identity may reach. */
  readonly permitted: readonly Backend[];
  /** Names of those that were tried for this stream. */
  readonly tried: ReadonlySet<string>;
  /** What `source` remembers a caller by. */
  readonly key: string;
}

/** `others`: how many more are as good, and could be tried after it. */
export interface Choice {
  readonly backend: Backend;
  readonly others: number;
}

/** A backend turned: `up` of `all` that take streams are up now. */
export interface Turn {
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
  readonly #turned: (turn: Turn) => void;
  readonly #known = new Map<string, Known>();
  #service: Service;
  #turns = new RoundRobin();

  constructor(service: Service, turned: (turn: Turn) => void) {
    this.#service = service;
    this.#turned = turned;
    this.replace(service);
  }

  get service(): Service {
    return this.#service;
  }

  /** Is there anything to learn about its backends? With one that nobody checks there is no choice, up or down. */
  get watched(): boolean {
    return this.#service.health !== undefined || this.#service.backends.length > 1;
  }

  /** A reload: those that stay keep what is known of them. */
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

  /** Connections that a backend has now, dials included. */
  openOf(name: string): number {
    return this.#known.get(name)?.open ?? 0;
  }

  /** The next backend to try; undefined when all were. */
  choose({ permitted, tried, key }: Wanted): Choice | undefined {
    const left = permitted.filter(({ name, weight }) => weight > 0 && !tried.has(name));
    const up = left.filter(({ name }) => this.isUp(name));
    const backend = up.length === 0 ? left[0] : this.#balance(up, key);
    return backend && { backend, others: Math.max(0, (up.length === 0 ? left : up).length - 1) };
  }

  /** A stream is dialled, and perhaps carried, by this backend until the result is called. */
  take(name: string): () => void {
    const known = this.#known.get(name);
    if (known === undefined)
      return () => {
        /* a reload took it away while it was chosen */
      };
    known.open++;
    let held = true;
    return () => {
      if (held) known.open--;
      held = false;
    };
  }

  /** A dial or a check came to its end; `failure` says how it failed. */
  report(name: string, failure?: string): void {
    if (!this.watched) return;
    const known = this.#known.get(name);
    if (known?.health.report(failure === undefined) !== true) return;
    const taking = this.#service.backends.filter(({ weight }) => weight > 0);
    this.#turned({
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
