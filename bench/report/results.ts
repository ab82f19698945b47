/**
 * Everything a run measured: one value for each row, pair and round, and what went wrong.
 * Rule: a missing value stays missing. It is never zero, and a note explains it.
 */
import type { Peer } from '../peers/peer.ts';
import type { Step } from '../schedule.ts';
import { type RowName, row } from './row.ts';
import { median } from './statistics.ts';

export type PairName = Pick<Peer, 'name' | 'kind'>;
/** Something the reader must know about one step. `failed`: nothing was measured. */
export interface Note extends Step {
  readonly text: string;
  readonly failed: boolean;
}

export class Results {
  readonly pairs: readonly PairName[];
  readonly rows: readonly RowName[];
  readonly notes: Note[] = [];
  readonly #values = new Map<string, (number | undefined)[]>();

  /** `rows`: those the run set out to measure. */
  constructor({ pairs, rows }: { readonly pairs: readonly PairName[]; readonly rows: readonly RowName[] }) {
    this.pairs = pairs.map(({ name, kind }) => ({ name, kind }));
    this.rows = rows;
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
    const values = this.byRound(pair, name).filter((value) => value !== undefined);
    return values.length === 0 ? undefined : median(values);
  }

  /** Why a cell is empty: the row does not exist for a pair without a tunnel, or it could not be measured. */
  absence({ name, kind }: PairName, rowName: RowName): 'missing' | 'not applicable' {
    return kind === 'bound' &&
      !this.notes.some((note) => note.failed && note.pair === name && note.test === row(rowName).test)
      ? 'not applicable'
      : 'missing';
  }

  /** The pair that leads a row among the peers (neither Adit nor the bound). */
  best(name: RowName): { readonly pair: string; readonly value: number } | undefined {
    const sign = row(name).better === 'more' ? -1 : 1;
    return this.pairs
      .filter(({ kind }) => kind === 'peer')
      .flatMap(({ name: pair }) => {
        const value = this.median(pair, name);
        return value === undefined ? [] : [{ pair, value }];
      })
      .toSorted((a, b) => sign * (a.value - b.value))[0];
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
