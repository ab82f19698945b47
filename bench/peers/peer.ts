/**
 * What the benchmark knows about a program that can be one end of a tunnel.
 * Rule: a peer only says how to start its two halves; starting, counting and ending them is the same for all.
 */
import type { AditBuild, TestName } from '../options.ts';
import type { Pki } from '../pki.ts';

/** What one pair is made of: addresses, certificates, and a folder of its own for configuration files. */
export interface PairSite {
  readonly folder: string;
  readonly pki: Pki;
  /** The ingress listens here, on 127.0.0.1, in plain TCP. */
  readonly ingressPort: number;
  /** The egress listens here in mutual TLS 1.3. The host is a numeric address. */
  readonly egressHost: string;
  readonly egressPort: number;
  /** The service that the egress connects to, on 127.0.0.1. */
  readonly servicePort: number;
  /** At most so many are open at once; programs with such a limit get it with room to spare. */
  readonly connections: number;
}

/** Command lines of both halves. */
export interface PairCommands {
  readonly egress: readonly string[];
  readonly ingress: readonly string[];
}

export interface Peer {
  readonly name: string;
  /**
   * `adit` is judged by the bars. `peer` makes the best that most bars ask for; a `rival` has bars of its own, or none.
   * `bound` (no tunnel at all) shows what the load itself can do.
   */
  readonly kind: 'adit' | 'peer' | 'rival' | 'bound';
  /** Adit only: where it is built. */
  readonly build?: AditBuild;
  /** Adit only: the name of the build that this is a variant of, with another option; bars judge it by its own name. */
  readonly variantOf?: string;
  /** The tests that it takes part in unless it is named; default: all. */
  readonly tests?: readonly TestName[];
  /** Why it cannot be measured here, or undefined. */
  unavailable(): string | undefined;
  /** Its version in words. */
  version(): Promise<string>;
  /** Writes configuration files if it has any; undefined: nothing to start, clients go to the service. */
  commands(site: PairSite): PairCommands | undefined;
}
