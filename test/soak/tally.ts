/**
 * What a program of the soak reports at its end, a line of JSON for each kind of client or attacker.
 * Rule: a kind that did nothing reports zero and is not left out.
 */

export interface Tally {
  readonly kind: string;
  readonly done: number;
  /** What went wrong, as text, the first few; `failed` counts all. */
  readonly failures: readonly string[];
  readonly failed: number;
  /** Round trips of an echo, ms; empty where none is measured. */
  readonly latenciesMs: readonly number[];
}

/** A tally that counts. */
export class Counting implements Tally {
  readonly kind: string;
  done = 0;
  failed = 0;
  readonly failures: string[] = [];
  readonly latenciesMs: number[] = [];

  constructor(kind: string) {
    this.kind = kind;
  }

  fail(error: unknown): void {
    this.failed++;
    if (this.failures.length < 3) this.failures.push(error instanceof Error ? error.message : String(error));
  }
}

/** Resolves when the parent says something, or has gone. */
export function toldToStop(): Promise<void> {
  return new Promise((resolve) => {
    for (const event of ['data', 'end', 'error']) process.stdin.once(event, () => resolve());
  });
}

/** Reports, and leaves: whatever is still open ends with the process. */
export function report(tallies: readonly Tally[]): void {
  process.stdout.write(`${JSON.stringify(tallies)}\n`, () => process.exit(0));
}
