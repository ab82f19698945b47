/**
 * What all the rules that name an identity allow it, or deny it, indexed for the look-ups of every stream.
 * Rule: finds which pattern matches, exact names before wildcards before `*`. Which match wins is decided in judge.ts.
 */
import { type Cidr, cidrContains } from '@adit/shared/protocol/address';
import type { Blocklist } from './blocklist.ts';
import type { DestinationPattern } from './destination-pattern.ts';
import { portsInclude, type Ports } from './ports.ts';
import type { Via } from './via.ts';

/** The part of a rule that decides. `why` is for logs: the rule, its position in the file, and the pattern. */
export interface Clause {
  readonly rule: string;
  readonly why: string;
}

/** One pattern of one rule. */
export interface Grant extends Clause {
  readonly pattern: DestinationPattern;
  /** The next hop for what it allows. */
  readonly via?: Via;
}

/** A blocklist of one rule. */
export interface Listed extends Clause {
  readonly list: Blocklist;
}

export interface NameMatch {
  readonly grant: Grant;
  readonly breadth: 'exact' | 'wildcard' | 'any';
}

interface Entry {
  readonly grant: Grant;
  readonly ports: Ports;
}
interface RangeEntry extends Entry {
  readonly range: Cidr;
}

export class Grants {
  readonly #services = new Map<string, Grant>();
  readonly #names = new Map<string, Entry[]>();
  readonly #suffixes = new Map<string, Entry[]>();
  readonly #any: Entry[] = [];
  readonly #ranges: RangeEntry[] = [];
  readonly #lists: readonly Listed[];

  /** Of patterns that match equally well, the first decides. */
  constructor(grants: Iterable<Grant>, lists: readonly Listed[] = []) {
    this.#lists = lists;
    for (const grant of grants) this.#add(grant);
  }

  #add(grant: Grant): void {
    const { pattern } = grant;
    switch (pattern.kind) {
      case 'service':
        if (!this.#services.has(pattern.service)) this.#services.set(pattern.service, grant);
        break;
      case 'name':
        push(this.#names, pattern.host, { grant, ports: pattern.ports });
        break;
      case 'suffix':
        push(this.#suffixes, pattern.suffix, { grant, ports: pattern.ports });
        break;
      case 'any':
        this.#any.push({ grant, ports: pattern.ports });
        break;
      case 'range':
        this.#ranges.push({ grant, ports: pattern.ports, range: pattern.range });
        break;
    }
  }

  service(name: string): Grant | undefined {
    return this.#services.get(name);
  }

  /** The most exact pattern that matches a name; the name is canonical. */
  named(host: string, port: number): NameMatch | undefined {
    const exact = find(this.#names.get(host), port);
    if (exact !== undefined) return { grant: exact, breadth: 'exact' };
    if (this.#suffixes.size > 0) {
      for (let dot = host.indexOf('.'); dot > 0; dot = host.indexOf('.', dot + 1)) {
        const wild = find(this.#suffixes.get(host.slice(dot)), port);
        if (wild !== undefined) return { grant: wild, breadth: 'wildcard' };
      }
    }
    const any = this.any(port);
    return any === undefined ? undefined : { grant: any, breadth: 'any' };
  }

  /** The blocklist that has the name, and its line; the name is canonical. */
  listed(host: string): Clause | undefined {
    for (const { rule, why, list } of this.#lists) {
      const found = list.blocks(host);
      if (found !== undefined) return { rule, why: `${why}, line ${found.line} (${found.text}),` };
    }
    return undefined;
  }

  /** The `*` pattern with this port. */
  any(port: number): Grant | undefined {
    return find(this.#any, port);
  }

  /** `*` with all ports. */
  everything(): Grant | undefined {
    return this.#any.find(({ ports }) => ports[0]?.[0] === 1 && ports[0][1] === 65535)?.grant;
  }

  /** Any range with this port: an address that nobody knows may be in it. */
  someRange(port: number): Grant | undefined {
    return this.#ranges.find(({ ports }) => portsInclude(ports, port))?.grant;
  }

  /** A range with this port that holds the address and whose prefix is at least `minPrefix` long. */
  ranged(bytes: Uint8Array, port: number, minPrefix: number): Grant | undefined {
    for (const { grant, ports, range } of this.#ranges) {
      if (range.prefix >= minPrefix && cidrContains(range, bytes) && portsInclude(ports, port)) return grant;
    }
    return undefined;
  }
}

function push(map: Map<string, Entry[]>, key: string, entry: Entry): void {
  const entries = map.get(key);
  if (entries === undefined) map.set(key, [entry]);
  else entries.push(entry);
}

function find(entries: readonly Entry[] | undefined, port: number): Grant | undefined {
  if (entries !== undefined) for (const { grant, ports } of entries) if (portsInclude(ports, port)) return grant;
  return undefined;
}
