/**
 * Complaints about a policy file: where, what is wrong, and what to do.
 * Rule: one error holds all complaints about a file, in the order of the file.
 */
import { AditError } from '@adit/shared/errors';

/** `line` and `column` count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}
export interface Complaint extends Position {
  readonly text: string;
}

/** POLICY_INVALID with one line "FILE:LINE:COLUMN: complaint" for each. */
export function policyInvalid(file: string, complaints: readonly Complaint[]): AditError {
  const sorted = [...complaints].sort((a, b) => a.line - b.line || a.column - b.column);
  return new AditError(
    'POLICY_INVALID',
    sorted.map(({ line, column, text }) => `${file}:${line}:${column}: ${text}`).join('\n'),
  );
}

/** The end of a complaint, with the word that was probably meant; empty when no known word is near. */
export function didYouMean(word: string, known: Iterable<string>): string {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best === undefined ? '' : `: did you mean "${best}"?`;
}

/** Insertions, deletions, replacements and swaps of neighbours between two words. */
function editDistance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, at) => at)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, rows[i - 2]![j - 2]! + 1);
      row.push(cost);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}
