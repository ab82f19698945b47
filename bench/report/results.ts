/**
 * Everything a run measured: one value for each row, pair and round, and what went wrong.
 * Rule: a missing value stays missing. It is never zero, and a note explains it.
 */
import type { Peer } from '../peers/peer.ts';
import type { Step } from '../schedule.ts';
import { type RowName, row } from './row.ts';
import { median, spread } from './statistics.ts';

export type PairName = Pick<Peer, 'name' | 'kind' | 'variantOf'>;
/** Something the reader must know about one step. `failed`: nothing was measured. */
export interface Note extends Step {
  readonly text: string;
  readonly failed: boolean;
}

export class Results {
  readonly pairs: readonly PairName[];
  readonly rows: readonly RowName[];
  readonly notes: Note[] = [];
  /** How many the run set out to do. */
  readonly rounds: number;
  readonly #planned: (pair: string, row: RowName) => boolean;
  readonly #values = new Map<string, (number | undefined)[]>();

  /** `rows`, `planned`: what the run set out to measure; by default every row of every pair. */
  constructor({
    pairs,
    rows,
    rounds = 1,
    planned = () => true,
  }: {
    readonly pairs: readonly PairName[];
    readonly rows: readonly RowName[];
    readonly rounds?: number;
    readonly planned?: (pair: string, row: RowName) => boolean;
  }) {
    this.pairs = pairs.map(({ name, kind, variantOf }) => ({
      name,
      kind,
      ...(variantOf !== undefined && { variantOf }),
    }));
    this.rows = rows;
    this.rounds = rounds;
    this.#planned = planned;
  }

  add({ pair, round }: Step, values: Partial<Record<RowName, number>>): void {
    for (const [name, value] of Object.entries(values)) {
      const key = keyOf(pair, name as RowName);
      const rounds = this.#values.get(key) ?? [];
      rounds[round] = value;
      this.#values.set(key, rounds);
    }
  }

  /** By round; a round that brought nothing is undefined. */
  byRound(pair: string, name: RowName): readonly (number | undefined)[] {
    return Array.from(this.#values.get(keyOf(pair, name)) ?? []);
  }

  /** Median of the rounds that brought a value; undefined when none did. */
  median(pair: string, name: RowName): number | undefined {
    const values = this.#measured(pair, name);
    return values.length === 0 ? undefined : median(values);
  }

  /** How far the rounds lie apart, as a part of their median; undefined when there are too few to tell. */
  spread(pair: string, name: RowName): number | undefined {
    return spread(this.#measured(pair, name));
  }

  /** How many rounds a row was measured in, by the pair with most of them. */
  roundsOf(name: RowName): number {
    return Math.max(0, ...this.pairs.map(({ name: pair }) => this.byRound(pair, name).length));
  }

  /** Whether the run set out to measure this row of this pair. */
  isPlanned(pair: string, name: RowName): boolean {
    return this.#planned(pair, name);
  }

  /** Why a cell is empty: the row says nothing about this pair, or it could not be measured. */
  absence({ name, kind }: PairName, rowName: RowName): 'missing' | 'not applicable' {
    if (!this.isPlanned(name, rowName)) return 'not applicable';
    return kind === 'bound' &&
      !this.notes.some((note) => note.failed && note.pair === name && note.test === row(rowName).test)
      ? 'not applicable'
      : 'missing';
  }

  /** The pair that leads a row among the peers, or among these and their rivals; never Adit, nor the bound. */
  best(name: RowName, among: 'best' | 'any' = 'best'): { readonly pair: string; readonly value: number } | undefined {
    const sign = row(name).better === 'more' ? -1 : 1;
    return this.pairs
      .filter(({ kind }) => kind === 'peer' || (among === 'any' && kind === 'rival'))
      .flatMap(({ name: pair }) => {
        const value = this.median(pair, name);
        return value === undefined ? [] : [{ pair, value }];
      })
      .toSorted((a, b) => sign * (a.value - b.value))[0];
  }

  #measured(pair: string, name: RowName): number[] {
    return this.byRound(pair, name).filter((value) => value !== undefined);
  }

  /** For JSON: values by row and pair, by round; null where a round brought none. */
  toJSON(): Readonly<Record<string, unknown>> {
    const values = this.rows.map((name) => [
      name,
      Object.fromEntries(
        this.pairs.map(({ name: pair }) => [pair, this.byRound(pair, name).map((value) => value ?? null)]),
      ),
    ]);
    return { pairs: this.pairs, values: Object.fromEntries(values), notes: this.notes };
  }
}

function keyOf(pair: string, name: RowName): string {
  return `${name} ${pair}`;
}
