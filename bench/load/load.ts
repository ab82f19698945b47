/**
 * A load: drives one pair for a while and says what it saw.
 * Rule: it fails rather than make up a value; `trouble` is what the user must know beside the values (errors that the
 * load counted).
 */
import type { TestName } from '../options.ts';
import type { Pair } from '../pair.ts';
import type { RowName } from '../report/row.ts';

export interface LoadOptions {
  /** Length of one transfer. */
  readonly seconds: number;
  /** Whether an unmeasured transfer comes first, so that a long-lived process is measured and not its start. */
  readonly warmUp: boolean;
  /** Connections made one after the other. */
  readonly setups: number;
  /** Connections held open. */
  readonly idleConnections: number;
  /** Short connections, and how long the pair then has until its memory is read. */
  readonly shortConnections: number;
  readonly quietSeconds: number;
}

export interface Sample {
  readonly values: Partial<Record<RowName, number>>;
  readonly trouble: readonly string[];
}

export interface Load {
  readonly test: TestName;
  readonly service: 'iperf3' | 'http';
  /** Programs that must be installed. */
  readonly needs: readonly string[];
  /** `adit`: its rows say something about Adit alone; `tunnels`: about every pair that is one. Default: every pair. */
  readonly of?: 'adit' | 'tunnels';
  /** It takes long: so many rounds are enough, unless more are asked for. */
  readonly mostRounds?: number;
  /** The most connections that are open at once, when it is more than a pair is usually set up for. */
  readonly connections?: number;
  measure(pair: Pair, options: LoadOptions): Promise<Sample>;
}
