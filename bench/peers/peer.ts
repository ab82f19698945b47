/**
 * What the benchmark knows about a program that can be one end of a tunnel.
 * Rule: a peer only says how to start its two halves; starting, counting and ending them is the same for all.
 */
import type { Pki } from '../pki.ts';

/** What one pair is made of: ports of 127.0.0.1, certificates, and a folder of its own for configuration files. */
export interface PairSite {
  readonly folder: string;
  readonly pki: Pki;
  /** The ingress listens here in plain TCP. */
  readonly ingressPort: number;
  /** The egress listens here in mutual TLS 1.3. */
  readonly egressPort: number;
  /** The service that the egress connects to. */
  readonly servicePort: number;
}

/** Command lines of both halves. */
export interface PairCommands {
  readonly egress: readonly string[];
  readonly ingress: readonly string[];
}

export interface Peer {
  readonly name: string;
  /**
   * `adit` is judged by the bars, `peer` sets them, `bound` (no tunnel at all) only shows what the load itself can do.
   */
  readonly kind: 'adit' | 'peer' | 'bound';
  /** Why it cannot be measured here, or undefined. */
  unavailable(): string | undefined;
  /** Its version in words. */
  version(): Promise<string>;
  /** Writes configuration files if it has any; undefined: nothing to start, clients go to the service. */
  commands(site: PairSite): PairCommands | undefined;
}
