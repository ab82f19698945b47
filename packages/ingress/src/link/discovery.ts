/**
 * Finds the egresses, those of the options and those that DNS SRV records list, in order of preference (RFC 2782).
 * Rule: lower priority first; within one priority, a weighted draw. A lookup that fails keeps the last answer; a record
 * of "." lists nothing. The certificate must cover the target of the record (or --server-name), so that DNS alone
 * cannot send us to somebody else's egress.
 */
import type { SrvRecord } from 'node:dns';
import { type EgressAddress, type EgressTarget, formatEgress } from '@adit/shared/config/values/egress-address';
import { AditError, messageOf } from '@adit/shared/errors';

export interface DiscoveryOptions {
  readonly addresses: readonly EgressAddress[];
  readonly resolveSrv: (name: string) => Promise<SrvRecord[]>;
  /** A number in [0, 1). */
  readonly random: () => number;
}

/** Keeps the last answer for each name. */
export class Discovery {
  readonly #options: DiscoveryOptions;
  readonly #known = new Map<string, readonly EgressTarget[]>();

  constructor(options: DiscoveryOptions) {
    this.#options = options;
  }

  /** Whether DNS lists egresses, so that they can change. */
  get changes(): boolean {
    return this.#options.addresses.some(({ kind }) => kind === 'srv');
  }

  /** Each egress once. Rejects with EGRESS_UNREACHABLE if a lookup fails that never succeeded. */
  async find(): Promise<readonly EgressTarget[]> {
    const found: EgressTarget[] = [];
    for (const address of this.#options.addresses)
      found.push(...(address.kind === 'srv' ? await this.#lookUp(address.name) : [address]));
    return [...new Map(found.map((one) => [formatEgress(one), one])).values()];
  }

  async #lookUp(name: string): Promise<readonly EgressTarget[]> {
    try {
      const records = await this.#options.resolveSrv(name);
      this.#known.set(
        name,
        inOrder(records, this.#options.random)
          .filter(({ name: target }) => target !== '' && target !== '.')
          .map(({ name: target, port }) => ({ kind: 'address', host: target.toLowerCase().replace(/\.$/, ''), port })),
      );
    } catch (error) {
      if (!this.#known.has(name))
        throw new AditError(
          'EGRESS_UNREACHABLE',
          `the SRV records of ${name} cannot be looked up ` +
            `(${(error as NodeJS.ErrnoException).code ?? messageOf(error)})`,
          { cause: error },
        );
    }
    return this.#known.get(name)!;
  }
}

/** RFC 2782: by priority; within one priority drawn by weight, where weight 0 has a small chance of being first. */
export function inOrder(records: readonly SrvRecord[], random: () => number): SrvRecord[] {
  const ordered: SrvRecord[] = [];
  const priorities = [...new Set(records.map(({ priority }) => priority))].sort((a, b) => a - b);
  for (const priority of priorities) {
    const left = records.filter((record) => record.priority === priority).sort((a, b) => a.weight - b.weight);
    while (left.length > 0) {
      const total = left.reduce((sum, { weight }) => sum + weight, 0);
      const drawn = Math.floor(random() * (total + 1));
      let running = 0;
      const at = left.findIndex(({ weight }) => (running += weight) >= drawn);
      ordered.push(...left.splice(at, 1));
    }
  }
  return ordered;
}
